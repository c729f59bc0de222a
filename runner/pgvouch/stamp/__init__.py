"""Stamping: templates expanded at authoring time into marked blocks of the author's files.

Importing this package imports neither Jinja nor the SQL parser. The modules, each importing only
those above it:

    quoting      names and values as SQL text
    call         reads a stamp line
    arguments    what an argument may be
    declaration  the comment at the head of a template that says what it takes
    blocks       stamps and their expansions in a text
    templates    where templates are, and what each takes
    environment  the Jinja environment, in which no text can be pasted
    render       arguments and a template in, SQL out
    verdict      one stamp judged: fresh, stale or edited by hand
    rewrite      brings files up to date
"""

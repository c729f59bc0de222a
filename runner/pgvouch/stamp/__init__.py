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

from pgvouch.stamp.render import list_templates
from pgvouch.stamp.rewrite import stamp_files, target_of
from pgvouch.stamp.templates import Family, Target, Templates, stock_folder
from pgvouch.stamp.verdict import Freshness, Stamped

__all__ = [
    "Family",
    "Freshness",
    "Stamped",
    "Target",
    "Templates",
    "list_templates",
    "stamp_files",
    "stock_folder",
    "target_of",
]

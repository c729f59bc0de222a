"""What a text is, by PostgreSQL's own scanner and parser. No I/O.

`postgast`, that parser, is imported only when a cheap look at the text says that structure matters,
because importing it costs as much as connecting.

The modules, each importing only those above it:

    near        a misspelled word
    duration    500ms, 5s, 10min
    place       where something is in a text
    parser      PostgreSQL's own parser
    scan        tokens, quotes and comments
    statements  the top-level statements
    own         the SQL that pgvouch runs for itself
"""

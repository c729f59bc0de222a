"""One folder of migrations against many databases: in waves, within a budget of failures.

The modules, each importing only those above it:

    target    a database, and what became of it
    waves     which go together, and how many may fail
    judged    errors as states and causes
    password  the password of a database, from a command
    settings  what the configuration says of a fleet
    listing   which databases there are: a query, a pattern, a file
    look      asks many databases for their ledgers at once
    worker    what is done in one database
    between   what is asked behind a wave: promises, a query, a command
    pool      processes with threads in them
    store     what became of each database, kept in a file
    rollout   waves, budget, and what is told of them
    fleet     class Fleet: each command over all databases
"""

"""One folder of migrations against many databases: in waves, within a budget of failures.

The modules, each importing only those above it:

    target    a database, and what became of it
    waves     which go together, and how many may fail
    judged    errors as states and causes
    password  the password of a database, from a command
    settings  what the configuration says of a fleet
    listing   which databases there are: a query, a pattern, a file
    copied    what a ledger says that was copied
    look      asks a database for its ledger
    one_database  what is done in one database
    between   what is asked behind a wave: promises, a query, a command
    pool      processes with threads in them
    work      asks a database, or has a process work on it
    slots     as many databases at once as their servers allow
    store     what became of each database, kept in a file or the control database
    rollout   waves, budget, and what is told of them
    fleet     class Fleet: each command over all databases
    queue_schema  the queue in the control database, from procrastinate's own files
    queue     a rollout on that queue
    blocking  what blocks, beside an event loop
    queue_jobs  what is done for a job
    queue_worker  takes the jobs of a queue
    on_queue  a fleet on the queue: enqueued, worked on, watched, paused, cancelled
"""

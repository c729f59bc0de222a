"""What is done beside migrating. The rooms below know nothing of it, and work without it.

The modules, each importing only those above it:

    lint          every file read as a run would read it, without a server
    redo          the newest migration rolled back and applied again
    history       what was done with the migrations, and by whom
    rehearsal     all that is pending and its rollbacks, in one transaction that is rolled back
    explain       one migration: what it says of itself, what it promises, what became of it
    drift         the live catalog beside what the deltas of its migrations come to
    repair        settles a statement of unknown outcome
    seed          development data
    ready         waits for a server, and for another runner
    dump          a database as SQL, by pg_dump
    schema_file   the schema as a file for review
    roles         what migrations do to roles, which pg_dump leaves out
    scratch       a database for trying migrations out, and one that is kept for the next time
    accept_delta  writes .delta files from a scratch database
    squash        one migration in the place of many
    starter       the first files of a project
    authoring     what writes other files: a new migration, the expansions of its stamps
"""

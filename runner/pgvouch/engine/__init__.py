"""Applies migrations and rolls them back.

The modules, each importing only those above it:

    prepare       everything that can be known, and refused, before anything is sent
    wording       what is said of a statement that PostgreSQL refused
    locks         waits for others without hurting them
    transaction   how the transaction of a migration begins, and how it ends
    python_steps  yoyo's Python migrations
    losses        rows that a rollback would lose
    recovery      an interrupted statement: done, to be run again, or unknown
    in_doubt      after a failure: what is in the database now
    atomic        applies one migration in one transaction
    steps         one statement of a non-transactional script
    walk          one way through such a script
    stepwise      applies a non-transactional migration
    run           migrations, one after the other
    rollback      the same, backwards
    commands      what each command does to one database
    ready         waits for a server, and for another runner
    seed          development data
    rehearsal     all of it, kept not
    repair        settles what nobody can know
"""

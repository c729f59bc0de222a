"""Applies migrations and rolls them back.

The modules, each importing only those above it:

    task           what is to be run, forwards or back, read and refused before anything is sent
    context        what the tasks of one run share
    lock_timeout   runs a migration again that a busy table, or a deadlock, has refused
    wording        what is said of a statement that PostgreSQL refused
    data_loss      rows that a rollback would lose
    transaction    how the transaction of a task begins, and how it ends
    catalog        what a task does to the catalog, compared with what it promises
    python_steps   yoyo's Python migrations
    atomic         a task in one transaction
    resume         how far a non-transactional task is: leased, taken up where it stopped
    invalid_index  what CONCURRENTLY leaves half done, healed
    reconcile      what became of a statement to which no answer came
    stepwise       a non-transactional task, statement by statement
    in_doubt       after a failure: what is in the database now
    run            tasks, one after the other
    commands       what each command does to one database
"""

"""What is to be done, as a function of files and rows. No server.

The modules, each importing only those above it:

    build   what to apply, what to roll back
    squashed  migrations that one file has taken the place of
    repeat  repeatable migrations: which are due, and what a rollback brings back
    drift   applied files that have changed, have another name or are gone
    status  the files beside the ledger
"""

"""The record of what is in the database: tables in the schema pgvouch, which schema.sql makes.

The modules, each importing only those above it:

    rows    what the ledger says of a migration, as a value
    lock    the row that keeps runners apart
    yoyo    yoyo's backend, on our connection and in our transaction
    lease   who works on a non-transactional migration, and how far it is
    ledger  reads the rows, and gives the SQL that writes them
    repeatable  the same for the runs of repeatable migrations
"""

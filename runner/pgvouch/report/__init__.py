"""What is known of a database, on one page.

The modules, each importing only those above it:

    layout   where the boxes of a diagram go, and the lines between them
    tables   the tables of the live schema, as values
    diagram  tables as boxes
    page     reports as HTML
    model    a report, as values
    reading  asks the database for the tables
    gather   all of a report, from the files, the ledger and the catalog
"""

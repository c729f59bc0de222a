"""What is to be done, as a function of files and rows. No server.

The modules, each importing only those above it:

    build   what to apply, what to roll back, what has drifted
    drift   what is said of an applied file that is another one now
    status  the files beside the ledger
"""

"""What is to be done, as a function of files and rows. No server.

The modules, each importing only those above it:

    build   what to apply, what to roll back
    drift   applied files that are others now, found and told
    status  the files beside the ledger
"""

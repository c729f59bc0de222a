"""The library, on which the program is built; its public names are those of `pgvouch` itself.

The modules, each importing only those above it:

    values        what goes in and what comes out
    one_database  a database: its files, where it is, the connection to it
    vouch         class Vouch: each command as a call
"""

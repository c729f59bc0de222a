"""The library, on which the program is built; its public names are those of `pgvouch` itself.

The modules, each importing only those above it:

    values  what goes in and what comes out
    vouch   class Vouch: each command as a call
"""

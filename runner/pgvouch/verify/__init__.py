"""Promises, run against a database.

The modules, each importing only those above it:

    checks   runs them in an open transaction, and leaves nothing behind
    wording  what is said of one that failed
    live     all promises of what is applied, again
"""

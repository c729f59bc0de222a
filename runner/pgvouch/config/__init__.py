"""The configuration: the project's file, the folders of databases, and where each of them is.

The modules, each importing only those above it:

    options  how migrations are run
    project  the configuration file, the databases and their URLs
"""

"""The configuration: the project's file, the folders of databases, where each one is.

The modules, each importing only those above it:

    address  connection strings, read without repeating one
    options  how migrations are run
    project  the configuration file, the databases and their URLs
"""

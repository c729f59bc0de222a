"""Where to connect. Nothing of a connection string is ever repeated.

The modules, each importing only those above it:

    parameters  what can stand in a URL
    conninfo    connection strings, read without repeating one
    foreign     what other programs write into theirs
    dotenv      the file .env, below the environment
    where       which database is meant: a URL, a variable that holds one, or PG…
"""

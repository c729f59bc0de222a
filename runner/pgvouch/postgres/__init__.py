"""The only room that speaks to libpq.

The modules, each importing only those above it:

    retry           tries again what other people's work stood in the way of
    result          what comes back over the wire
    connect_errors  why there is no connection
    connect         opens one
    session         one connection, spoken to in messages
    message         the messages: parts that know where they come from
    pooling         why a pooler needs nothing
    timeouts        how long our statements wait for others
    advice          what to do about an error, by its SQLSTATE
    read_only       a server or a role that may not write
    blockers        who is in the way
    reach           connections for commands: waited for, a missing database created
"""

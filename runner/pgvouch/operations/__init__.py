"""What is done beside migrating. The rooms below know nothing of it, and work without it.

The modules, each importing only those above it:

    rehearsal  all that is pending and its rollbacks, in one transaction that is rolled back
    drift      the live catalog beside what the deltas of its migrations come to
    repair     settles a statement of unknown outcome
    seed       development data
    ready      waits for a server, and for another runner
    authoring  what writes files: a new migration, its delta, the expansions of its stamps
"""

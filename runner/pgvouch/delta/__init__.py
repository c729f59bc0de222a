"""The catalog delta: what a migration does to the schema, one text for PostgreSQL 15 to 18.

The modules, each importing only those above it:

    views      the text of a view from PostgreSQL 15, as later ones print it
    canonical  one form, on one line, for the text of an object
    lines      what stands in a line
    snapshot   the catalog at one moment, and what two moments differ in
    roles      what a migration does to roles, which are the server's
    effects    rows that a migration wrote, roles that it changed
    known      what is known of the catalog in a run, moved forward by what each migration touches
    file       verify/NNN_name.delta
    compare    what was promised beside what happened
    rollback   what a rollback has to undo
    fold       what the deltas of all applied migrations come to
"""

"""Takes over projects of other migration tools: their files, their history, their ledgers.

Nothing of theirs is changed. The modules, each importing only those above it:

    history     what another tool has left, as values
    text        its SQL as one of our files
    tool        what has to be known of a tool
    folders     looks for files, and cuts those with two halves
    dbmate      one file a tool: how it is recognised, how its files and its ledger are read
    alembic     …
    yoyo        …
    sqlx        …
    diesel      …
    atlas       …
    goose       both halves in one file, a row a run
    sql_migrate  both halves in one file, keyed by its name
    golang_migrate   pairs of files, one row that may be dirty
    node_pg_migrate  SQL files; its code is named and refused
    tern        both halves in one file, one row
    placeholders  what a tool fills in by itself, as psql variables
    flyway      files that are run once, back and again
    supabase    files with a time, and a ledger with their SQL
    prisma      a folder a migration, a row an attempt
    drizzle     files in the order of a journal
    graphile_migrate  committed files, chained by their hashes
    verifying   scripts that must not fail, as checks that can
    sqitch      a plan, and three scripts for each change
    tools       which tool a project is of
    layout      where its files go in ours
    compare     its ledger beside its files
    asking      reads its ledger, and takes its lock
    record      writes ours
    writing     writes a folder, whole or not at all
    take_over   all of it
    baseline    where no ledger says what is applied: the database does
    from_database  where there are no files either
"""

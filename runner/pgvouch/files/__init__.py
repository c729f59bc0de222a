"""What people write, and what it may not hold. No server.

The modules, each importing only those above it:

    regular            opens what is a file, and no FIFO or device
    version            what a file's name says
    lock_tables        the directive that has tables locked ahead of everything else
    other_tools        files as other tools name them
    halves             files of other tools that hold a migration and its rollback, by their marks
    transaction_block  statements that cannot run in a transaction block
    variables          psql variables that a file declares
    actors             who acts in checks and key queries
    directives         the leading comments of a file
    refusals           what no file may hold: psql's own commands, the end of the transaction
    migration          one file as a value: identifier, SQL, directives, checksum
    strays             what lies in a folder and does not fit
    folder             reads the folder of a database
    repeatable         reads repeat/, whose files are run again when they change
    promises           the checks of a verify file
"""

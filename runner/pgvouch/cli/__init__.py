"""The program: flags in, one call, a report and an exit code out.

The modules, each importing only those above it:

    output     where everything printed passes
    table      tables for people
    render     events, results and errors as text or JSON
    endings    every exception as one error with its exit code
    main       the group of commands, and the options they share
    running    migrate, rollback, seed, accept
    looking    status, plan, verify
    writing    new, accept-delta
    stamping   stamp
    repairing  repair
    starting   wait, entrypoint
    embedded   server
"""

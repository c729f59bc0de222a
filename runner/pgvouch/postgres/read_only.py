"""A server, or a role, that may not write: noticed as a transaction begins, and reported."""

from pgvouch.errors import MigrationError, StandbyError, VouchError
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import own_query

READ_ONLY = "read_only"
"""The word that REFUSE fails with."""

REFUSE = own_query("postgres", "refuse_read_only")
"""Fails where an administrator has switched writing off, which our `read write` would override."""


def cannot_begin(session: Session, exc: QueryError) -> VouchError:
    """Return the error for a server on which no writing transaction can begin."""
    session.roll_back()
    if exc.word == READ_ONLY:
        return MigrationError(
            "writing is switched off here: default_transaction_read_only is on, for the "
            "database, the role or the server",
            state="Nothing was run.",
            hint="ask who switched it off, and why; to write all the same: "
            "PGOPTIONS='-c default_transaction_read_only=off' and the same command",
        )
    (result,) = session.ask("select pg_is_in_recovery()")
    if result.rows[0][0] == "t":
        return StandbyError(
            "the server is a read-only standby",
            server=exc.server,
            state="Nothing was run.",
            hint="connect to the primary; with several hosts in the URL, "
            "?target_session_attrs=read-write finds it",
        )
    return MigrationError(
        f"no transaction can begin: {exc.server.primary}",
        server=exc.server,
        state="Nothing was run.",
    )

"""Why a pooler in transaction mode needs nothing of us.

Such a pooler may run each transaction on another backend. So nothing that pgvouch sets outlives a
transaction: settings are `set local`, no statement is prepared (connect.py; one of ours is where
the backend is seen to be ours alone: delta/known.py), the lock is a row and not a session's
advisory lock, and a lease is a token in the messages, for the client knows no backend's pid. What
others have left in the session is reset as a transaction begins.
"""

import re
import secrets

from pgvouch.sqltext.own import literal

RESET_SESSION = (
    "reset session authorization",
    "reset role",
    "reset all",
    "set client_encoding = 'UTF8'",
    "close all",
    "deallocate all",
    "discard plans",
    "discard sequences",
    "discard temp",
    "select pg_catalog.pg_advisory_unlock_all()",
)
"""What `discard all` does and what can run in a transaction block; psycopg speaks UTF-8."""

RESET_ROLE = ("reset session authorization", "reset role", "reset all")
"""Enough within one migration, whose temporary tables and prepared statements stay."""

_LONGEST_NAME = 63
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_./ -]")


def application_name(verb: str, migration_id: str) -> str:
    """Return what pg_stat_activity is to show while something is done."""
    return _NOT_PLAIN.sub("?", f"pgvouch {verb} {migration_id}")[:_LONGEST_NAME]


def application_name_sql(verb: str, migration_id: str) -> str:
    """Return the statement that sets it for a transaction."""
    return f"set local application_name = {literal(application_name(verb, migration_id))}"


def marker_of(verb: str, migration_id: str, token: str = "") -> str:
    """Return a comment by which another connection knows a message in pg_stat_activity.

    The client cannot know the backend's pid beforehand: a pooler gives it one for a transaction.
    """
    plain = _NOT_PLAIN.sub("?", migration_id)[:_LONGEST_NAME]
    return f"/* pgvouch {verb} {plain} {token or secrets.token_hex(8)} */"

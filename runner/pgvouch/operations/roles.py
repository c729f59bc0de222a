"""What migrations do to roles, which belong to the server: pg_dump leaves them out."""

import re
from collections.abc import Sequence

from pgvouch.files.migration import Migration
from pgvouch.sqltext.statements import each_statement, rough_statements

_ABOUT_ROLES = re.compile(
    r"\b(?:create|alter|drop)\s+(?:role|group|user(?!\s+mapping))\b|\Agrant\s(?!.*\son\s)",
    re.IGNORECASE | re.DOTALL,
)
_ALONE = re.compile(r"(?:create|alter|drop|grant|do)\b", re.IGNORECASE)
_CREATE = re.compile(r"create\b", re.IGNORECASE)


def roles_of(migrations: Sequence[Migration]) -> str:
    """Return the statements of migrations that make, change or drop roles, in order.

    A role that is there stays, for another database of the server may have made it.
    """
    found = [
        _once(text)
        for migration in migrations
        if not migration.is_python
        for text in _statements(migration.sql)
        if _ALONE.match(text) and _ABOUT_ROLES.search(text)
    ]
    if not found:
        return ""
    return "\n".join(
        ["-- Roles, which pg_dump leaves out, as the migrations make them.", *found, ""]
    )


def _statements(sql: str) -> list[str]:
    if not re.search(r"\b(?:role|user|group|grant)\b", sql, re.IGNORECASE):
        return []
    try:
        return [one.text for one in each_statement(sql)]
    except SyntaxError:  # it has variables in it
        return [one.text for one in rough_statements(sql)]


def _once(text: str) -> str:
    # The value of a variable is not put into a body.
    if not _CREATE.match(text) or re.search(r":['\"]", text):
        return f"{text};"
    return (
        f"do $pgvouch$ begin\n{text};\nexception when duplicate_object then null;\nend $pgvouch$;"
    )

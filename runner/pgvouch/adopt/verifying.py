"""Scripts that must not fail, as checks that can. No I/O."""

import re
from collections.abc import Sequence

from pgvouch.sqltext.statements import Statement, each_statement

_CONTROL = re.compile(
    r"(?:begin|start|commit|end|rollback|abort|savepoint|release)\b", re.IGNORECASE
)
_SETTING = re.compile(r"(?:set|reset)\b|select\s+(?:pg_catalog\.)?set_config\b", re.IGNORECASE)
_READING = re.compile(r"(?:select|with|table|values|do|show)\b", re.IGNORECASE)
_COMMENT = re.compile(r"--[ \t]*(?P<text>[^\n]*?)[ \t]*\r?\n[ \t\r\n]*\Z")
_LONGEST = 90


def as_checks(sql: str, title: str) -> str | None:
    """Return a verify file of ours, in which each statement of a script is a check.

    A check passes where its statement does: `select true` stands behind it. Settings at the
    beginning are the setup. Where statements are more than questions and may build on each other,
    all of them are one check.

    Args:
        sql: a script that says by an error that something is not as it should be.
        title: what it is about.

    Returns:
        The text; None where there is no statement in it.

    Raises:
        ValueError: it cannot be one: psql's own commands, or transactions inside of it.
    """
    try:
        found = list(each_statement(sql))
    except SyntaxError as exc:
        raise ValueError(str(exc.msg)) from None
    inner = _without_transaction(found)
    if any(_CONTROL.match(one.text) for one in inner):
        raise ValueError("it has transactions inside")
    first = next((n for n, one in enumerate(inner) if not _SETTING.match(one.text)), len(inner))
    setup, asked = inner[:first], inner[first:]
    if not asked:
        return None
    parts = [f"{_text(one)};\n" for one in setup]
    if all(_READING.match(one.text) and not _SETTING.match(one.text) for one in asked):
        parts += [_check(_sentence(one, sql, title), [one]) for one in asked]
    else:
        parts.append(_check(f"{title} is as its verify script wants it", asked))
    return "\n".join(parts)


def _without_transaction(found: list[Statement]) -> list[Statement]:
    if found and _CONTROL.match(found[0].text):
        found = found[1:]
        if found and _CONTROL.match(found[-1].text):
            found = found[:-1]
    return found


def _text(statement: Statement) -> str:
    return statement.text.strip().removesuffix(";").rstrip()


def _check(sentence: str, statements: Sequence[Statement]) -> str:
    # A comment may end the statement.
    lines = [f"{_text(one)}\n;" if "--" in _text(one) else f"{_text(one)};" for one in statements]
    return "\n".join((f"-- check: {sentence}", *lines, "select true;")) + "\n"


def _sentence(statement: Statement, sql: str, title: str) -> str:
    """Return the comment above a statement, or else the statement itself."""
    above = sql[: statement.start]
    comment = _COMMENT.search(above[above.rfind(";") + 1 :])
    if comment and not re.match(r"verify\b|xxx\b", comment["text"], re.IGNORECASE):
        said = comment["text"]
    else:
        said = f"{title}: {' '.join(_text(statement).split())}"
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"

"""Arguments and a template in, the text of an expansion out."""

import re
from collections.abc import Mapping
from pathlib import Path

from pgvouch.errors import Place, StampError
from pgvouch.sqltext.parser import postgast
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import tokens
from pgvouch.stamp.call import Value
from pgvouch.stamp.quoting import BadValueError
from pgvouch.stamp.templates import Family, Target, Templates

MARKER = re.compile(r"[ \t]*--[ \t]*(?:stamp|stamped|end[ \t]+stamp)\b", re.IGNORECASE)


def expand(family: Family, target: Target, values: Mapping[str, Value], place: Place) -> str:
    """Render one file of a family.

    Args:
        family: the template.
        target: for which file of a migration.
        values: all arguments, as the declaration has bound them.
        place: of the stamp, for errors that are the author's of the migration.

    Returns:
        The expansion: lines that end in a line feed, no blank ones around.

    Raises:
        StampError: the arguments cannot be written as SQL (at the stamp), or the template is
            wrong (at its own line).
    """
    path = family.path(target)
    if not path.is_file() and family.main is Target.VERIFY:
        raise StampError(
            f"{family.name} is a check: it belongs in a verify file, not in a "
            f"{target.name.lower()}",
            place,
            hint="move the stamp line into verify/, into the file of the same name",
        )
    if not path.is_file():
        raise StampError(
            f"{family.name} has no template for a {target.name.lower()} file",
            place,
            hint=f"write {path}",
        )
    text = _unmark(_render(family, path, values, place), path, place)
    _check_sql(text, path, place)
    return text


def list_templates(templates: Templates) -> list[tuple[Family, str]]:
    """Return every template with what its sample gives.

    Returns:
        The families, sorted by name; beside each, the expansion of its sample in a migration, or in
        a verify file where the family has only checks.

    Raises:
        StampError: a declaration or a template is wrong.
    """
    found = []
    for family in [templates.family(name) for name in templates.names()]:
        declared = family.declaration
        values = declared.bind(declared.sample)
        found.append((family, expand(family, family.main, values, declared.sample.place)))
    return found


def _render(family: Family, path: Path, values: Mapping[str, Value], place: Place) -> str:
    from pgvouch.stamp.environment import StampEnvironment, fault, innermost, render

    folders = family.import_folders
    if folders not in family.environments:
        family.environments[folders] = StampEnvironment(folders)
    try:
        return render(family.environments[folders].get_template(path.name), dict(values))
    except StampError:
        raise
    except BadValueError as exc:
        at = innermost(exc.__traceback__)
        notes = [f"in {at}"] if at else []
        raise StampError(str(exc), place, notes=notes) from None
    except Exception as exc:
        declared = (parameter.name for parameter in family.declaration.parameters)
        where, message, hint = fault(exc, declared)
        raise StampError(
            message, where or Place(path), notes=[f"stamped at {place}"], hint=hint
        ) from exc


def _unmark(marked: str, path: Path, place: Place) -> str:
    """Take the marks of `visible` away, having seen that each stands in a comment."""
    from pgvouch.stamp.environment import SENTENCE_END, SENTENCE_START

    marks = re.compile(f"[{SENTENCE_START}{SENTENCE_END}]")
    found = [match.start() for match in marks.finditer(marked)]
    comments = _comments(marked, path, place) if found else []
    for mark in found:
        if not any(start <= mark < end for start, end in comments):
            raise StampError(
                "the template prints a text for comments outside of a `--` comment",
                Place(path),
                statement=marks.sub("", marked[mark : mark + 40]),
                notes=[f"stamped at {place}"],
                hint="in SQL use ident, qualified or literal",
            )
    text = marks.sub("", marked).strip("\n")
    if not text.strip():
        raise StampError("the template gives nothing for these arguments", place)
    for line in text.split("\n"):
        if MARKER.match(line):
            raise StampError(
                f"the template prints the line {line.strip()!r}, which only a migration may hold",
                Place(path),
                notes=[f"stamped at {place}"],
            )
    return text + "\n"


def _comments(text: str, path: Path, place: Place) -> list[tuple[int, int]]:
    try:
        found = tokens(text, comments=True)
    except SyntaxError as exc:
        raise _not_sql(text, exc.msg, exc.offset, path, place) from None
    return [(token.start, token.end) for token in found if token.kind == "SQL_COMMENT"]


def _check_sql(text: str, path: Path, place: Place) -> None:
    parser = postgast()
    try:
        parser.parse(text)
    except parser.PgQueryError as exc:
        raise _not_sql(text, str(exc), exc.cursorpos, path, place) from None


def _not_sql(text: str, said: str, position: int | None, path: Path, place: Place) -> StampError:
    line, _ = line_and_column(text, max((position or 1) - 1, 0))
    return StampError(
        f"the template gives what PostgreSQL cannot read: {said}",
        Place(path),
        statement=text.split("\n")[line - 1].strip(),
        notes=[f"stamped at {place}"],
    )

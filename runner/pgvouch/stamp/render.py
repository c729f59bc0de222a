"""Arguments and a template in, the text of an expansion out."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pgvouch.errors import Place, StampError
from pgvouch.sqltext.parser import postgast
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import tokens
from pgvouch.stamp.call import Value
from pgvouch.stamp.quoting import BadValueError
from pgvouch.stamp.templates import SUFFIX, Family, Target, Templates, read_template

if TYPE_CHECKING:
    from jinja2 import BaseLoader

MARKER = re.compile(r"[ \t]*--[ \t]*(?:stamp|stamped|end[ \t]+stamp)\b", re.IGNORECASE)
_TEMPLATE_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")


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
            f"{family.name} is a promise: it stands in a verify file, not in a "
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
    marked = _render(family, path, values, place)
    text = _unmark(marked, path, place)
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
    families = [templates.family(name) for name in templates.names()]
    found = []
    for family in families:
        declared = family.declaration
        values = declared.bind(declared.sample)
        found.append((family, expand(family, family.main, values, declared.sample.place)))
    return found


def _render(family: Family, path: Path, values: Mapping[str, Value], place: Place) -> str:
    from pgvouch.stamp.environment import StampEnvironment, render

    folders = family.import_folders
    if folders not in family.environments:
        family.environments[folders] = StampEnvironment(_loader(folders))
    try:
        return render(family.environments[folders].get_template(path.name), dict(values))
    except StampError:
        raise
    except BadValueError as exc:
        at = _innermost(exc.__traceback__)
        notes = [f"in {at}"] if at else []
        raise StampError(str(exc), place, notes=notes) from None
    except Exception as exc:
        where, message, hint = _fault(exc, family)
        raise StampError(
            message, where or Place(path), notes=[f"stamped at {place}"], hint=hint
        ) from exc


def _fault(exc: Exception, family: Family) -> tuple[Place | None, str, str | None]:
    """Return where a template is wrong, how, and what there is instead."""
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError

    from pgvouch.stamp.environment import FILTERS, PastedTextError

    where = _innermost(exc.__traceback__)
    filters = f"filters: {', '.join(FILTERS)}"
    match exc:
        case TemplateNotFound():
            return where, f"it imports {exc.name}, which is not beside it", None
        case TemplateSyntaxError():
            hint = filters if "filter" in (exc.message or "") else None
            place = Place(Path(exc.filename), exc.lineno) if exc.filename else where
            return place, f"the template: {exc.message}", hint
        case UndefinedError():
            declared = ", ".join(parameter.name for parameter in family.declaration.parameters)
            return where, f"the template: {exc.message}", f"declared: {declared}"
        case PastedTextError():
            return where, f"the template {exc}", filters
        case SecurityError():
            return where, f"the template: {exc}", None
    return where, f"the template fails: {type(exc).__name__}: {exc}", None


def _loader(folders: Sequence[Path]) -> "BaseLoader":
    from jinja2 import BaseLoader, Environment, TemplateNotFound

    from pgvouch.stamp.environment import refuse_statements

    class Loader(BaseLoader):
        """Files of a family's folders, each checked before it is compiled."""

        def get_source(
            self, environment: Environment, template: str
        ) -> tuple[str, str, Callable[[], bool]]:
            for folder in folders:
                path = folder / template
                if _TEMPLATE_NAME.match(template) and template.endswith(SUFFIX) and path.is_file():
                    source = read_template(path)
                    tree = environment.parse(source, template, str(path))
                    refuse_statements(tree, template, str(path))
                    return source, str(path), lambda: True
            raise TemplateNotFound(template)

    return Loader()


def _innermost(traceback: TracebackType | None) -> Place | None:
    """Return the last template line in a traceback; Jinja puts them there."""
    place = None
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.endswith(SUFFIX):
            place = Place(Path(name), traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def _unmark(marked: str, path: Path, place: Place) -> str:
    """Take the marks of `visible` away, having seen that each stands in a comment."""
    from pgvouch.stamp.environment import SENTENCE_END, SENTENCE_START

    marks = [m.start() for m in re.finditer(f"[{SENTENCE_START}{SENTENCE_END}]", marked)]
    if marks:
        comments = _comments(marked, path, place)
        for mark in marks:
            if not any(start <= mark < end for start, end in comments):
                near = re.sub(f"[{SENTENCE_START}{SENTENCE_END}]", "", marked[mark : mark + 40])
                raise StampError(
                    "the template prints a text for comments outside of a `--` comment",
                    Place(path),
                    statement=near,
                    notes=[f"stamped at {place}"],
                    hint="in SQL use ident, qualified or literal",
                )
    text = re.sub(f"[{SENTENCE_START}{SENTENCE_END}]", "", marked).strip("\n")
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
        raise _not_sql(text, exc, path, place) from None
    return [(token.start, token.end) for token in found if token.kind == "SQL_COMMENT"]


def _check_sql(text: str, path: Path, place: Place) -> None:
    parser = postgast()
    try:
        parser.parse(text)
    except parser.PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = exc.cursorpos
        raise _not_sql(text, error, path, place) from None


def _not_sql(text: str, exc: SyntaxError, path: Path, place: Place) -> StampError:
    line, _ = line_and_column(text, max((exc.offset or 1) - 1, 0))
    return StampError(
        f"the template gives what PostgreSQL cannot read: {exc.msg}",
        Place(path),
        statement=text.split("\n")[line - 1].strip(),
        notes=[f"stamped at {place}"],
    )

"""The Jinja environment of templates, in which no text can be pasted.

Whatever a template prints has to be an `Sql`: only the filters here make one, and each quotes what
it is given or takes it from a fixed list of words. Imported only where a template is rendered,
because importing Jinja costs more than most commands.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateAssertionError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pgvouch.errors import Place
from pgvouch.sqltext.place import excerpt
from pgvouch.stamp import quoting
from pgvouch.stamp.quoting import BadValueError
from pgvouch.stamp.templates import SUFFIX, read_template

KEYWORDS = frozenset(
    {"select", "insert", "update", "delete", "truncate", "references", "trigger", "all"}
)
"""What the filter `keyword` lets through."""
SENTENCE_START, SENTENCE_END = "\ue000", "\ue001"
"""Around what `visible` prints, so that it can be refused outside of a comment."""
_STATEMENTS = (
    nodes.Output, nodes.For, nodes.If, nodes.Assign, nodes.AssignBlock, nodes.Macro,
    nodes.Import, nodes.FromImport, nodes.ExprStmt, nodes.Scope,
)  # fmt: skip
_TEMPLATE_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")
_KEPT_FILTERS = ("default", "first", "items", "last", "length", "list", "reverse", "sort", "unique")


class PastedTextError(TypeError):
    """A template prints a value as it is."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL that a filter has made safe.

    Not a subclass of str: the sandbox's own `format` would make one from any text.
    """

    _text: str

    @property
    def __sql__(self) -> str:
        """The text; templates cannot reach names with underscores."""
        return self._text


def _only_sql(value: object) -> str:
    """Let an Sql be printed and refuse everything else; Jinja calls it on all that is printed."""
    if isinstance(value, Sql):
        return value.__sql__
    if isinstance(value, StrictUndefined):
        str(value)
    if isinstance(value, TemplateModule) or callable(value):
        raise PastedTextError("prints a macro or a module instead of calling it")
    raise PastedTextError(
        f"prints {excerpt(repr(value), 60)} as it is; pass it through ident, qualified, literal or "
        "keyword"
    )


def _strings(values: object) -> list[str]:
    if isinstance(values, StrictUndefined):
        str(values)
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise BadValueError(f"{excerpt(repr(values), 60)} is not a list of names")
    return [_string(value) for value in values]


def _string(value: object) -> str:
    if isinstance(value, StrictUndefined):
        str(value)
    if not isinstance(value, str):
        raise BadValueError(f"{excerpt(repr(value), 60)} is not a text")
    return value


def _ident(value: object) -> Sql:
    """A name, quoted where it must be."""
    return Sql(quoting.identifier(_string(value)))


def _idents(values: object) -> Sql:
    """Names, quoted where they must be, with commas between."""
    return Sql(", ".join(quoting.identifier(name) for name in _strings(values)))


def _qualified(values: object) -> Sql:
    """(schema, table) as schema.table."""
    return Sql(".".join(quoting.identifier(part) for part in _strings(values)))


def _literal(value: object) -> Sql:
    """A string, number, boolean or null as a constant."""
    if isinstance(value, StrictUndefined):
        str(value)
    if value is not None and not isinstance(value, str | int):
        raise BadValueError(
            f"{excerpt(repr(value), 60)} is not a string, a number, a boolean or null"
        )
    return Sql(quoting.literal(value))


def _literals(values: object) -> Sql:
    """Strings as constants, with commas between."""
    return Sql(", ".join(quoting.literal(value) for value in _strings(values)))


def _keyword(value: object) -> Sql:
    """A word of SQL from a fixed list."""
    word = _string(value)
    if word not in KEYWORDS:
        raise BadValueError(
            f"{excerpt(repr(word), 60)} is not one of the keywords a template may print"
        )
    return Sql(word)


def _keywords(values: object) -> Sql:
    """Words of SQL from a fixed list, with commas between."""
    return Sql(", ".join(_keyword(value).__sql__ for value in _strings(values)))


def _visible(value: object) -> Sql:
    """A name or text inside a comment: one line, whatever it holds."""
    text = quoting.visible(_string(value))
    return Sql(f"{SENTENCE_START}{text}{SENTENCE_END}")


def _listing(values: object) -> Sql:
    """Names or texts inside a comment: a, b and c."""
    texts = [quoting.visible(text) for text in _strings(values)]
    joined = " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
    return Sql(f"{SENTENCE_START}{joined}{SENTENCE_END}")


def _subquery(value: object) -> Sql:
    """An expression as a subquery, which is evaluated once in a query."""
    return Sql(quoting.subquery(_string(value)))


_OURS = (
    _ident, _idents, _qualified, _literal, _literals, _keyword, _keywords, _subquery, _visible,
    _listing,
)  # fmt: skip
FILTERS: dict[str, Callable[[object], Sql]] = {each.__name__[1:]: each for each in _OURS}


def _fail(message: object) -> NoReturn:
    """Refuse the arguments, from inside a template."""
    raise BadValueError(_string(message))


def _schemas_in(value: object) -> list[str]:
    """Return the names in an expression that may be schemas."""
    return quoting.schemas_in(_string(value))


def _concat(pieces: Iterable[str]) -> Sql:
    """Join what has been printed: every piece is the template's own text or came from an Sql."""
    return Sql("".join(pieces))


_IGNORE_CASE = ("sort", "unique")
"""Filters of Jinja's that do so unless they are told otherwise."""


def _with_case(built_in: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that tells names apart as PostgreSQL does: App and app are two roles."""

    @wraps(built_in)
    def apart(*values: Any, **options: Any) -> Any:
        return built_in(*values, **{"case_sensitive": True, **options})

    return apart


class StampEnvironment(ImmutableSandboxedEnvironment):
    """Strict, sandboxed, and unable to paste.

    See https://jinja.palletsprojects.com/en/stable/sandbox/.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(
            loader=_Loader(folders),
            undefined=StrictUndefined,
            finalize=_only_sql,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=-1,
        )
        kept = {name: self.filters[name] for name in _KEPT_FILTERS}
        apart = {name: _with_case(kept[name]) for name in _IGNORE_CASE}
        self.filters = {**kept, **apart, **FILTERS}
        self.globals = {"fail": _fail, "schemas_in": _schemas_in}
        # What a macro or a block `set` gives is built from printed pieces only, so it may be
        # printed itself.
        self.concat: Any = _concat


class _Loader(BaseLoader):
    """Files of a family's folders, in order, each checked before it is compiled."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        for folder in self._folders:
            path = folder / template
            if _TEMPLATE_NAME.match(template) and template.endswith(SUFFIX) and path.is_file():
                source = read_template(path)
                tree = environment.parse(source, template, str(path))
                _refuse_statements(tree, template, str(path))
                return source, str(path), lambda: True
        raise TemplateNotFound(template)


def _refuse_statements(tree: nodes.Template, name: str, filename: str) -> None:
    """Refuse the statements whose output Jinja does not pass through `finalize`."""
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, _STATEMENTS):
            word = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
            raise TemplateAssertionError(
                f"the statement “{word}” could paste text; a template has for, if, set, macro "
                "and import",
                node.lineno,
                name,
                filename,
            )


def render(template: Template, arguments: dict[str, Any]) -> str:
    """Return the text of a template, with the marks of `visible` still in it."""
    sql: Any = template.render(arguments)
    return sql.__sql__ if isinstance(sql, Sql) else str(sql)


def fault(exc: Exception, declared: Iterable[str]) -> tuple[Place | None, str, str | None]:
    """Return where a template is wrong, how, and what there is instead.

    Args:
        exc: what its rendering has raised.
        declared: the names of its arguments.
    """
    where = innermost(exc.__traceback__)
    filters = f"filters: {', '.join(FILTERS)}"
    match exc:
        case TemplateNotFound():
            return where, f"it imports {exc.name}, which is not beside it", None
        case TemplateSyntaxError():
            hint = filters if "filter" in (exc.message or "") else None
            place = Place(Path(exc.filename), exc.lineno) if exc.filename else where
            return place, f"the template: {exc.message}", hint
        case UndefinedError():
            return where, f"the template: {exc.message}", f"declared: {', '.join(declared)}"
        case PastedTextError():
            return where, f"the template {exc}", filters
        case SecurityError():
            return where, f"the template: {exc}", None
    return where, f"the template fails: {type(exc).__name__}: {exc}", None


def innermost(traceback: TracebackType | None) -> Place | None:
    """Return the last template line in a traceback; Jinja puts them there."""
    place = None
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.endswith(SUFFIX):
            place = Place(Path(name), traceback.tb_lineno)
        traceback = traceback.tb_next
    return place

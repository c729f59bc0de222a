"""A value added to an enum type and used in the same transaction: that fails at run time. No I/O.

A value that ALTER TYPE … ADD VALUE adds in a transaction block is not to be used before the commit
(https://www.postgresql.org/docs/current/sql-altertype.html); the error is 55P04. Where the same
file creates the type, PostgreSQL 17 and later allow it, and here the server has the last word.

A text alone does not say what column a constant is for. A use is a constant that is cast to the
type, or that stands bare where it takes the type of what is beside it; one that is cast to another
type or given to a function is none.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.scan import GAP
from pgvouch.sqltext.statements import each_statement, tree_of

_ADDS_VALUE = re.compile(rf"\badd{GAP}value\b", re.IGNORECASE)
_CHANGES_A_TYPE = re.compile(r"(?:create|alter|drop)\b.*?\btype\b", re.IGNORECASE | re.DOTALL)
# Settings, options and names: constants in them are no values of a column.
_NO_VALUES = {"VariableSetStmt", "AlterEnumStmt", "CreateEnumStmt", "DefElem"}
_COMPARISONS = {"=", "<>", "<", ">", "<=", ">="}
_COMPARING = {"OP_ANY", "OP_ALL", "IN", "DISTINCT", "NOT_DISTINCT", "NULLIF"}
# Below these a bare constant takes the type of a column.
_COLUMN_VALUES = {
    "InsertStmt",
    "UpdateStmt",
    "OnConflictClause",
    "MergeWhenClause",
    "ExecuteStmt",
    "CoalesceExpr",
    "MinMaxExpr",
    "PartitionBoundSpec",
    "AlterTableCmd",
}
_Use = tuple[str, str, int]
"""The label, the type, and the offset in bytes of the statement."""


@dataclass
class _Added:
    """The values that a file has added so far, and the types that it has created."""

    types: dict[str, set[str]] = field(default_factory=dict)
    """By label."""
    created: set[str] = field(default_factory=set)

    def knows(self, type_name: str) -> bool:
        """Say whether a value was added to a type."""
        return any(type_name in names for names in self.types.values())


def refuse_enum_use(text: str, place: Place) -> None:
    """Refuse the use of an enum value in the file, and so in the transaction, that adds it.

    Raises:
        FileError: with the line of the first use.
    """
    if not _ADDS_VALUE.search(text):
        return
    added = _Added()
    try:
        for statement in each_statement(text):
            for label, type_name, byte in _read(statement.text, added):
                offset = statement.start + len(statement.text.encode()[:byte].decode())
                raise FileError(
                    f"the value '{label}' of the type {type_name} is added and used in one "
                    "transaction; PostgreSQL allows its use after the commit",
                    Place(place.path, *line_and_column(text, offset)),
                    statement=excerpt(statement.text),
                    hint="add the value in a migration of its own, before this one (or put "
                    "`-- transactional: false` into the header); if it is not meant as "
                    f"{type_name} here, say so: '{label}'::text",
                )
    except SyntaxError:  # PostgreSQL will refuse the whole message before anything runs
        return


def _read(statement: str, added: _Added) -> Iterator[_Use]:
    """Yield the uses in a statement, or remember what it does to a type."""
    changes = _CHANGES_A_TYPE.match(statement)
    if not changes and not any(label.replace("'", "''") in statement for label in added.types):
        return
    tree = tree_of(statement)
    if tree is None:
        return
    kind = tree.WhichOneof("node")
    if change := _CHANGES.get(kind):
        change(getattr(tree, kind), added)
    else:
        yield from _uses(getattr(tree, kind), added, bare=False)


def _create(node: Any, added: _Added) -> None:
    name = _last(node.type_name)
    _forget(name, added)
    added.created.add(name)


def _alter(node: Any, added: _Added) -> None:
    name = _last(node.type_name)
    is_new = not node.old_val or name in added.types.get(node.old_val, ())
    if is_new and name not in added.created:
        added.types.setdefault(node.new_val, set()).add(name)


def _rename(node: Any, added: _Added) -> None:
    old = _last(node.object.list.items)
    if old in added.created:
        added.created.add(node.newname)
    for names in added.types.values():
        if old in names:
            names.add(node.newname)


def _drop(node: Any, added: _Added) -> None:
    for item in node.objects:
        _forget(_last(item.type_name.names), added)


_CHANGES: dict[str, Callable[[Any, _Added], None]] = {
    "create_enum_stmt": _create,
    "alter_enum_stmt": _alter,
    "rename_stmt": _rename,
    "drop_stmt": _drop,
}


def _forget(type_name: str, added: _Added) -> None:
    for names in added.types.values():
        names.discard(type_name)
    added.created.discard(type_name)


def _last(names: Any) -> str:
    return str(names[-1].string.sval) if names else ""


def _uses(node: Any, added: _Added, *, bare: bool) -> Iterator[_Use]:
    """Walk a parse tree. `bare`: a constant without a cast takes the type of a column here."""
    name = node.DESCRIPTOR.name
    if name == "A_Const":
        if bare:
            yield from _constant(node, added, None)
    elif name == "TypeCast":
        yield from _cast(node, added, bare=bare)
    elif name == "CaseExpr":
        yield from _case(node, added, bare=bare)
    elif name not in _NO_VALUES:
        if name == "CreateFunctionStmt":
            yield from _sql_body(node, added)
        for key, child in _children(node):
            yield from _uses(child, added, bare=_is_bare_below(node, name, key, added, bare=bare))


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    for key, value in node.ListFields():
        if key.message_type is not None:
            for child in value if key.is_repeated else (value,):
                yield key.name, child


def _is_bare_below(node: Any, name: str, key: str, added: _Added, *, bare: bool) -> bool:
    if name == "A_Expr":
        return _compares(node, added)
    if name in {"FuncCall", "SubLink", "RangeSubselect", "CommonTableExpr"}:
        return False
    if name == "SelectStmt":
        # What INSERT … SELECT selects goes into columns; what a query shows is text.
        return bare and key in {"target_list", "values_lists"}
    if name in {"ColumnDef", "CreateDomainStmt", "FunctionParameter"}:
        type_name = node.arg_type if name == "FunctionParameter" else node.type_name
        return added.knows(_last(type_name.names))
    return bare or name in _COLUMN_VALUES


def _compares(node: Any, added: _Added) -> bool:
    from postgast import pg_query_pb2 as tree

    kind = tree.A_Expr_Kind.Name(node.kind).removeprefix("AEXPR_")
    operator = str(node.name[-1].string.sval)
    compares = (
        "BETWEEN" in kind or kind in _COMPARING or (kind == "OP" and operator in _COMPARISONS)
    )
    return compares and not any(_is_text(side, added) for side in (node.lexpr, node.rexpr))


def _is_text(side: Any, added: _Added) -> bool:
    """Say whether one side of a comparison settles that the other is no enum."""
    kind = side.WhichOneof("node")
    if kind == "type_cast":
        return not added.knows(_last(side.type_cast.type_name.names))
    if kind == "a_expr":
        return not _compares(side.a_expr, added)
    return bool(kind == "func_call")


def _constant(node: Any, added: _Added, type_name: str | None) -> Iterator[_Use]:
    text = node.sval.sval
    items = text.strip("{}").split(",") if text.startswith("{") else [text]
    for label in (item.strip(' "') if len(items) > 1 else item for item in items):
        for name in sorted(added.types.get(label, ())):
            if type_name in {None, name}:
                yield label, name, node.location
                return


def _cast(node: Any, added: _Added, *, bare: bool) -> Iterator[_Use]:
    name = _last(node.type_name.names)
    kind = node.arg.WhichOneof("node")
    if kind == "a_const":
        yield from _constant(node.arg.a_const, added, name)
    elif kind == "a_array_expr":
        yield from _uses(node.arg, added, bare=added.knows(name))
    else:
        yield from _uses(node.arg, added, bare=bare)


def _case(node: Any, added: _Added, *, bare: bool) -> Iterator[_Use]:
    results = [when.case_when.result for when in node.args] + [node.defresult]
    bare = bare or any(result.HasField("column_ref") for result in results)
    yield from _uses(node.arg, added, bare=False)
    for when in node.args:
        yield from _uses(when.case_when.expr, added, bare=node.HasField("arg"))
    for result in results:
        yield from _uses(result, added, bare=bare)


def _sql_body(node: Any, added: _Added) -> Iterator[_Use]:
    """PostgreSQL reads the body of an SQL function when it is made, and other bodies when run."""
    options = {option.def_elem.defname: option.def_elem.arg for option in node.options}
    if "as" not in options or options.get("language") is None:
        return
    if options["language"].string.sval.lower() != "sql":
        return
    body = options["as"].list.items[0].string.sval
    for statement in each_statement(body):
        for label, name, _ in _read(statement.text, added):
            yield label, name, 0

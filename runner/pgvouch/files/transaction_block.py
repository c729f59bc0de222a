"""Statements that cannot run in a transaction block, and what they are about. No I/O.

PostgreSQL refuses them with SQLSTATE 25001; its source says which ones they are by calling
PreventInTransactionBlock (https://www.postgresql.org/docs/current/sql-commands.html, the notes of
each command). Three depend on the catalog and not on the text, and are left to the server: REINDEX
and CLUSTER of a partitioned table, and DROP SUBSCRIPTION where the subscription has no slot.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pgvouch.sqltext.parser import postgast
from pgvouch.sqltext.scan import GAP, skip_blank
from pgvouch.sqltext.statements import tree_of

WORDS = re.compile(
    r"\b(?:concurrently|vacuum|reindex|cluster|prepared"
    rf"|discard{GAP}all|alter{GAP}system"
    rf"|(?:create|drop|alter){GAP}(?:database|tablespace|subscription))\b",
    re.IGNORECASE,
)
"""Without these, no statement of a text is one."""
NEEDLES = (
    "concurrently", "vacuum", "reindex", "cluster", "prepared", "discard", "system", "database",
    "tablespace", "subscription",
)  # fmt: skip
"""In small letters: each of the words holds one."""
_FIRST_WORD = re.compile(
    r"(?:create|drop|alter|reindex|vacuum|cluster|discard|commit|rollback)\b", re.IGNORECASE
)
_FALSE = {"false", "off", "0"}


class Kind(Enum):
    """What such a statement is about; the values are words for people."""

    CREATE_INDEX = "CREATE INDEX CONCURRENTLY"
    DROP_INDEX = "DROP INDEX CONCURRENTLY"
    REINDEX = "REINDEX CONCURRENTLY"
    """And REINDEX SCHEMA, DATABASE and SYSTEM, which never run in a block."""
    DETACH = "DETACH PARTITION CONCURRENTLY"
    IDEMPOTENT = "a statement that does no harm when it is run twice"
    OTHER = "a statement that cannot be run twice"


@dataclass(frozen=True, slots=True)
class Outside:
    """A statement that cannot run in a transaction block."""

    kind: Kind
    words: str
    """Its command, such as `VACUUM`."""
    schema: str | None = None
    """The schema of `relation` as written, None for the search_path; that of REINDEX SCHEMA."""
    relation: str | None = None
    """The table of CREATE INDEX, REINDEX TABLE and (the parent) of DETACH; the index of REINDEX
    INDEX and DROP INDEX."""
    name: str | None = None
    """The index that CREATE INDEX makes, where it is named; the partition of DETACH."""
    name_schema: str | None = None
    """The partition's schema."""
    names: tuple[tuple[str | None, str], ...] = ()
    """DROP INDEX: every schema and index."""
    target: str | None = None
    """REINDEX: index, table, schema, database or system."""
    if_exists: bool = False
    """IF EXISTS or IF NOT EXISTS."""


def outside(statement: str) -> Outside | None:
    """Say what a statement is about that cannot run in a transaction block.

    Args:
        statement: one statement.

    Returns:
        None for one that can run in a block, and for text that does not parse.
    """
    if not WORDS.search(statement) or not _FIRST_WORD.match(statement, skip_blank(statement, 0)):
        return None
    tree = tree_of(statement)
    if tree is None:
        return None
    kind = tree.WhichOneof("node")
    describe = _DESCRIBE.get(kind)
    return describe(getattr(tree, kind)) if describe else None


def on_empty_copy(statement: str) -> str:
    """Return a CREATE INDEX CONCURRENTLY for a temporary table of the same name, within a block.

    Args:
        statement: one that `outside` says to be of kind CREATE_INDEX.
    """
    parser = postgast()
    tree = parser.parse(statement)
    node = tree.stmts[0].stmt.index_stmt
    node.concurrent = node.if_not_exists = False
    node.relation.schemaname, node.table_space = "pg_temp", ""
    return str(parser.deparse(tree))


def _is_on(options: Any, name: str, *, default: bool) -> bool:
    """Read a boolean option as PostgreSQL's defGetBoolean does; the last one counts."""
    on = default
    for option in options:
        if option.def_elem.defname == name:
            arg = option.def_elem.arg
            match arg.WhichOneof("node"):
                case None:
                    on = True
                case "integer":
                    on = arg.integer.ival != 0
                case "type_name":  # a bare word that is no keyword, such as off
                    on = arg.type_name.names[-1].string.sval.lower() not in _FALSE
                case _:
                    on = arg.string.sval.lower() not in _FALSE
    return on


def _word(enum: str, value: int, prefix: str) -> str:
    tree = postgast().pg_query_pb2
    return str(getattr(tree, enum).Name(value)).removeprefix(prefix)


def _create_index(node: Any) -> Outside | None:
    if not node.concurrent:
        return None
    return Outside(
        Kind.CREATE_INDEX,
        "CREATE INDEX CONCURRENTLY",
        schema=node.relation.schemaname or None,
        relation=node.relation.relname,
        name=node.idxname or None,
        if_exists=node.if_not_exists,
    )


def _drop(node: Any) -> Outside | None:
    if not node.concurrent:
        return None
    names = []
    for item in node.objects:
        parts = [part.string.sval for part in item.list.items]
        names.append((parts[-2] if len(parts) > 1 else None, parts[-1]))
    schema, relation = names[0]
    return Outside(
        Kind.DROP_INDEX,
        "DROP INDEX CONCURRENTLY",
        schema=schema,
        relation=relation,
        names=tuple(names),
        if_exists=node.missing_ok,
    )


def _reindex(node: Any) -> Outside | None:
    target = _word("ReindexObjectType", node.kind, "REINDEX_OBJECT_").lower()
    concurrently = _is_on(node.params, "concurrently", default=False)
    if target in {"index", "table"} and not concurrently:
        return None
    return Outside(
        Kind.REINDEX,
        f"REINDEX {target.upper()}{' CONCURRENTLY' * concurrently}",
        schema=node.relation.schemaname or (node.name if target == "schema" else None) or None,
        relation=node.relation.relname or None,
        target=target,
    )


def _alter_table(node: Any) -> Outside | None:
    for item in node.cmds:
        partition = getattr(item.alter_table_cmd, "def").partition_cmd
        if partition.concurrent:
            return Outside(
                Kind.DETACH,
                "DETACH PARTITION CONCURRENTLY",
                schema=node.relation.schemaname or None,
                relation=node.relation.relname,
                name=partition.name.relname,
                name_schema=partition.name.schemaname or None,
                if_exists=node.missing_ok,
            )
    return None


def _alter_database(node: Any) -> Outside | None:
    if any(option.def_elem.defname == "tablespace" for option in node.options):
        return Outside(Kind.OTHER, "ALTER DATABASE SET TABLESPACE")
    return None


def _create_subscription(node: Any) -> Outside | None:
    # Without a connection there is no publisher to ask for a slot.
    connects = _is_on(node.options, "connect", default=True)
    if _is_on(node.options, "create_slot", default=connects):
        return Outside(Kind.OTHER, "CREATE SUBSCRIPTION")
    return None


def _alter_subscription(node: Any) -> Outside | None:
    kind = _word("AlterSubscriptionType", node.kind, "ALTER_SUBSCRIPTION_")
    if kind == "REFRESH":
        return Outside(Kind.IDEMPOTENT, "ALTER SUBSCRIPTION REFRESH PUBLICATION")
    refreshes = _is_on(node.options, "refresh", default=True)
    if kind in {"SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"} and refreshes:
        twice = Kind.IDEMPOTENT if kind == "SET_PUBLICATION" else Kind.OTHER
        return Outside(twice, f"ALTER SUBSCRIPTION {kind.replace('_', ' ')}")
    # They reach into the slot at the publisher, and that cannot be rolled back.
    names = {option.def_elem.defname for option in node.options}
    turns_off = not _is_on(node.options, "two_phase", default=True)
    if kind == "OPTIONS" and ("failover" in names or turns_off):
        return Outside(Kind.OTHER, "ALTER SUBSCRIPTION SET")
    return None


def _prepared(node: Any) -> Outside | None:
    kind = _word("TransactionStmtKind", node.kind, "TRANS_STMT_").replace("_", " ")
    return Outside(Kind.OTHER, kind) if kind.endswith(" PREPARED") else None


def _always(kind: Kind, words: str) -> Callable[[Any], Outside]:
    return lambda _: Outside(kind, words)


def _dropped(what: str) -> Callable[[Any], Outside]:
    return lambda node: Outside(Kind.OTHER, f"DROP {what}", if_exists=node.missing_ok)


def _unless(is_fine: Callable[[Any], bool], words: str) -> Callable[[Any], Outside | None]:
    return lambda node: None if is_fine(node) else Outside(Kind.IDEMPOTENT, words)


_DESCRIBE: dict[str, Callable[[Any], Outside | None]] = {
    "index_stmt": _create_index,
    "drop_stmt": _drop,
    "reindex_stmt": _reindex,
    "alter_table_stmt": _alter_table,
    "vacuum_stmt": _unless(lambda node: not node.is_vacuumcmd, "VACUUM"),
    "cluster_stmt": _unless(lambda node: node.HasField("relation"), "CLUSTER"),
    "discard_stmt": _unless(
        lambda node: _word("DiscardMode", node.target, "DISCARD_") != "ALL", "DISCARD ALL"
    ),
    "alter_system_stmt": _always(Kind.IDEMPOTENT, "ALTER SYSTEM"),
    "createdb_stmt": _always(Kind.OTHER, "CREATE DATABASE"),
    "dropdb_stmt": _dropped("DATABASE"),
    "alter_database_stmt": _alter_database,
    "create_table_space_stmt": _always(Kind.OTHER, "CREATE TABLESPACE"),
    "drop_table_space_stmt": _dropped("TABLESPACE"),
    "create_subscription_stmt": _create_subscription,
    "alter_subscription_stmt": _alter_subscription,
    "drop_subscription_stmt": _dropped("SUBSCRIPTION"),
    "transaction_stmt": _prepared,
}

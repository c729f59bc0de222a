"""Every small wrong thing that can be done to a migration, made from its parse tree.

A mutant that lands is a promise that nobody made: the checks and the delta of a system are measured
by how many of them they catch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import postgast

from conftest import ROOT
from pgvouch.files.migration import Migration
from pgvouch.sqltext.statements import Statement, statements

Edit = Callable[[Any], None]

_OTHER_TYPES = {"text": "varchar", "uuid": "text", "int4": "int8", "timestamptz": "timestamp"}
_COMMANDS = ("all", "select", "insert", "update", "delete")


OLD_ROWS: dict[str, str] = {
    # An account from before there were profiles, or the backfill would have nothing to do.
    "001_create_profiles": "insert into auth.users (id, email) "
    "values ('00000000-0000-4000-8000-0000000000aa', 'old@example.test')",
    # Exercises from before they had a slug and a kind.
    "004_extend_exercises_feature2": "insert into public.exercises "
    "(name, category, is_compound, muscle_groups) "
    """values ('Old Lift', 'Legs', true, '["Glutes"]'), ('Old Curl', 'Arms', false, null)""",
    # Rows in every table, or the move would have nothing to lose.
    "010_move_to_feature_planner": (ROOT / "seed" / "feature_planner.sql")
    .read_text()
    .replace("feature_planner.", "public."),
}
"""What is in the database before a migration, where that matters."""


@dataclass(frozen=True)
class Mutant:
    """One changed migration."""

    name: str
    sql: str
    access: bool
    """Whether it changes what a user may do: policies, grants, functions, triggers, foreign keys."""


def mutants_of(migration: Migration) -> Iterator[Mutant]:
    """Return every mutant of a migration."""
    seen = {migration.sql}
    for statement in statements(migration.sql):
        for label, text, access in _of_statement(statement):
            end = statement.start + len(statement.text)
            sql = migration.sql[: statement.start] + text + migration.sql[end:]
            if sql not in seen:
                seen.add(sql)
                yield Mutant(f"{migration.id}: {label}", sql, access)
    yield from _additions(migration)


def _of_statement(statement: Statement) -> Iterator[tuple[str, str, bool]]:
    tree = postgast.parse(statement.text)
    kind = tree.stmts[0].stmt.WhichOneof("node")
    title = _title(statement.text)
    yield f"delete «{title}»", "select 1", kind in _ACCESS or "row level security" in statement.text
    for label, edit, access in _EDITS.get(kind, _no_edits)(getattr(tree.stmts[0].stmt, kind)):
        changed = postgast.parse(statement.text)
        edit(getattr(changed.stmts[0].stmt, kind))
        yield f"{label} in «{title}»", postgast.deparse(changed), access


def _title(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 90 else words[:90] + "…"


def _no_edits(_node: Any) -> Iterator[tuple[str, Edit, bool]]:
    return iter(())


def _true(node: Any) -> None:
    node.Clear()
    node.a_const.boolval.boolval = True


def _policy(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    def role(name: str) -> Edit:
        def edit(policy: Any) -> None:
            spec = policy.roles[0].role_spec
            spec.Clear()
            spec.roletype, spec.rolename = (1, name) if name != "public" else (5, "")

        return edit

    for name in ("public", "anon", "service_role"):
        yield f"role {name}", role(name), True
    for command in _COMMANDS:
        if command != node.cmd_name:

            def to_command(policy: Any, command: str = command) -> None:
                policy.cmd_name = command
                needs_check = command in {"insert"} and not policy.HasField("with_check")
                if needs_check:
                    policy.with_check.CopyFrom(policy.qual)
                if command == "insert":
                    policy.ClearField("qual")
                elif not policy.HasField("qual"):
                    policy.qual.CopyFrom(policy.with_check)
                if command in {"select", "delete"}:
                    policy.ClearField("with_check")

            yield f"command {command}", to_command, True
    yield (
        "restrictive" if node.permissive else "permissive",
        lambda policy: setattr(policy, "permissive", not policy.permissive),
        True,
    )
    for part in ("qual", "with_check"):
        if node.HasField(part):
            yield f"{part} true", lambda policy, part=part: _true(getattr(policy, part)), True
            expression = getattr(node, part)
            if expression.WhichOneof("node") == "bool_expr":
                for index in range(len(expression.bool_expr.args)):
                    yield (
                        f"{part} condition {index} true",
                        lambda policy, part=part, index=index: _true(
                            getattr(policy, part).bool_expr.args[index]
                        ),
                        True,
                    )
    if node.HasField("qual") and node.HasField("with_check"):
        # The using expression then serves as the check too, and it may well be the same.
        yield "no with check", lambda policy: policy.ClearField("with_check"), False


def _table(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    for index, element in enumerate(node.table_elts):
        which = element.WhichOneof("node")
        if which == "column_def":
            yield from _column(index, element.column_def)
        elif which == "constraint":
            yield from _constraint(index, element.constraint)

    def add_column(table: Any) -> None:
        column = table.table_elts.add().column_def
        column.colname = "surplus"
        column.type_name.names.add().string.sval = "text"
        column.type_name.typemod = -1
        column.is_local = True

    yield "one more column", add_column, False


def _column(index: int, column: Any) -> Iterator[tuple[str, Edit, bool]]:
    name = column.colname

    def other_type(table: Any) -> None:
        names = table.table_elts[index].column_def.type_name.names
        names[-1].string.sval = _OTHER_TYPES.get(names[-1].string.sval, "text")

    def to_front(table: Any) -> None:
        moved = table.table_elts.pop(index)
        table.table_elts.insert(0, moved)

    yield f"type of {name}", other_type, False
    if index:
        yield f"place of {name}", to_front, False
    for number, constraint in enumerate(column.constraints):
        kind = constraint.constraint.contype
        what = {1: "null", 2: "not null", 3: "default"}.get(kind, str(kind))

        def drop(table: Any, number: int = number) -> None:
            del table.table_elts[index].column_def.constraints[number]

        yield f"no {what} on {name}", drop, False
        if what == "default":

            def other_default(table: Any, number: int = number) -> None:
                found = table.table_elts[index].column_def.constraints[number].constraint
                _other_value(found.raw_expr)

            yield f"another default of {name}", other_default, False


def _other_value(node: Any) -> None:
    which = node.WhichOneof("node")
    if which == "a_const":
        constant = node.a_const
        if constant.WhichOneof("val") == "sval":
            constant.sval.sval += "x"
        else:
            constant.ival.ival += 1
    elif which == "func_call":
        name = node.func_call.funcname[-1].string.sval
        node.Clear()
        node.func_call.funcname.add().string.sval = {
            "now": "clock_timestamp",
            "gen_random_uuid": "random_uuid_is_not_there",
        }.get(name, "random")
        node.func_call.funcformat = 1
    elif which == "a_expr":
        _other_value(node.a_expr.lexpr)


def _constraint(index: int, constraint: Any) -> Iterator[tuple[str, Edit, bool]]:
    name = constraint.conname
    is_foreign = bool(constraint.fk_del_action)

    def drop(table: Any) -> None:
        del table.table_elts[index]

    def found(table: Any) -> Any:
        return table.table_elts[index].constraint

    yield f"no {name}", drop, is_foreign
    yield f"another name of {name}", lambda t: setattr(found(t), "conname", name + "x"), False
    if is_foreign:
        for action in "arnd":
            if action != constraint.fk_del_action:
                yield (
                    f"on delete {action} in {name}",
                    lambda t, action=action: setattr(found(t), "fk_del_action", action),
                    True,
                )
        yield f"on update c in {name}", lambda t: setattr(found(t), "fk_upd_action", "c"), False

        def deferred(table: Any) -> None:
            found(table).deferrable = found(table).initdeferred = True

        yield f"deferred {name}", deferred, False
    if constraint.HasField("raw_expr") and constraint.raw_expr.WhichOneof("node") == "a_expr":
        items = constraint.raw_expr.a_expr.rexpr.list.items
        for number in range(len(items)):

            def value(table: Any, number: int = number) -> None:
                _other_value(found(table).raw_expr.a_expr.rexpr.list.items[number])

            def fewer(table: Any, number: int = number) -> None:
                del found(table).raw_expr.a_expr.rexpr.list.items[number]

            yield f"value {number} of {name}", value, False
            yield f"no value {number} in {name}", fewer, False
        yield f"true in {name}", lambda t: _true(found(t).raw_expr), False


def _index(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    def flip(index: Any, number: int) -> None:
        element = index.index_params[number].index_elem
        element.ordering = 2 if element.ordering == 3 else 3

    yield "unique", lambda index: setattr(index, "unique", not index.unique), False
    yield "another name", lambda index: setattr(index, "idxname", index.idxname + "x"), False
    yield "hash", lambda index: setattr(index, "access_method", "hash"), False
    for number, _ in enumerate(node.index_params):
        yield f"direction {number}", lambda index, number=number: flip(index, number), False
        if len(node.index_params) > 1:

            def fewer(index: Any, number: int = number) -> None:
                del index.index_params[number]

            yield f"no column {number}", fewer, False
        else:

            def other(index: Any, number: int = number) -> None:
                index.index_params[number].index_elem.name = "id"

            yield f"another column {number}", other, False
    if len(node.index_params) > 1:

        def swapped(index: Any) -> None:
            index.index_params.reverse()

        yield "columns the other way round", swapped, False

    def partial(index: Any) -> None:
        index.where_clause.null_test.arg.column_ref.fields.add().string.sval = "created_at"
        index.where_clause.null_test.nulltesttype = 2

    yield "partial", partial, False


def _trigger(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    insert, delete, update = 4, 8, 16
    for label, event in (("insert", insert), ("delete", delete), ("update", update)):
        if node.events != event:
            yield f"event {label}", lambda t, event=event: setattr(t, "events", event), True
    yield "also on insert", lambda t: setattr(t, "events", t.events | insert | update), True
    yield "the other timing", lambda t: setattr(t, "timing", 0 if t.timing else 2), True
    yield "per statement", lambda t: setattr(t, "row", False), True

    def when_false(trigger: Any) -> None:
        trigger.when_clause.a_const.boolval.boolval = False

    yield "never", when_false, True


def _function(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    def option(function: Any, name: str) -> Any:
        return next((o.def_elem for o in function.options if o.def_elem.defname == name), None)

    def remove(function: Any, name: str) -> None:
        for index, item in enumerate(function.options):
            if item.def_elem.defname == name:
                del function.options[index]
                return

    def body(text: str) -> Edit:
        def edit(function: Any) -> None:
            items = option(function, "as").arg.list.items
            items[0].string.sval = text

        return edit

    if option(node, "security") is not None:
        yield "security invoker", lambda f: remove(f, "security"), True
    else:

        def definer(function: Any) -> None:
            added = function.options.add().def_elem
            added.defname = "security"
            added.arg.boolean.boolval = True

        yield "security definer", definer, True
    yield "no search_path", lambda f: remove(f, "set"), True

    def public_path(function: Any) -> None:
        args = option(function, "set").arg.variable_set_stmt.args
        args[0].a_const.sval.sval = "public"

    yield "search_path public", public_path, True
    for text in ("begin return new; end", "begin return null; end", "begin raise 'no'; end"):
        yield f"body {text}", body(text), True


def _grant(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    for number, _ in enumerate(node.privileges):

        def fewer(grant: Any, number: int = number) -> None:
            del grant.privileges[number]

        if len(node.privileges) > 1:
            yield f"no privilege {number}", fewer, True
        if node.privileges[number].access_priv.cols:

            def whole(grant: Any, number: int = number) -> None:
                grant.privileges[number].access_priv.ClearField("cols")

            yield f"all columns of privilege {number}", whole, True
    for number, _ in enumerate(node.grantees):
        if len(node.grantees) > 1:

            def less(grant: Any, number: int = number) -> None:
                del grant.grantees[number]

            # The owner of a new function grants to PUBLIC only; no default grant to take back.
            yield f"no grantee {number}", less, True
    if node.is_grant:

        def to_anon(grant: Any) -> None:
            grant.grantees[0].role_spec.rolename = "anon"

        def more(grant: Any) -> None:
            grant.ClearField("privileges")

        def option(grant: Any) -> None:
            grant.grant_option = True

        yield "to anon", to_anon, True
        yield "all privileges", more, True
        yield "with grant option", option, True


def _alter(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    del node

    def disable(alter: Any) -> None:
        names = postgast.pg_query_pb2.AlterTableType
        alter.cmds[0].alter_table_cmd.subtype = names.Value("AT_DisableRowSecurity")

    def force(alter: Any) -> None:
        names = postgast.pg_query_pb2.AlterTableType
        alter.cmds[0].alter_table_cmd.subtype = names.Value("AT_ForceRowSecurity")

    yield "disable", disable, True
    yield "force", force, True


def _comment(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    del node
    yield "another text", lambda comment: setattr(comment, "comment", comment.comment + "x"), False


def _enum(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    for number, value in enumerate(node.vals):

        def fewer(enum: Any, number: int = number) -> None:
            del enum.vals[number]

        def other(enum: Any, number: int = number) -> None:
            enum.vals[number].string.sval += "x"

        def to_front(enum: Any, number: int = number) -> None:
            enum.vals.insert(0, enum.vals.pop(number))

        yield f"no value {value.string.sval}", fewer, False
        yield f"another value than {value.string.sval}", other, False
        if number:
            yield f"place of {value.string.sval}", to_front, False

    yield "one more value", lambda enum: setattr(enum.vals.add().string, "sval", "surplus"), False


def _do(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    def hollow(do: Any) -> None:
        do.args[0].def_elem.arg.string.sval = "begin end"

    del node
    yield "hollow", hollow, True


def _insert(node: Any) -> Iterator[tuple[str, Edit, bool]]:
    def rows(insert: Any) -> Any:
        """The rows of `values`, be it the statement's own or the one that it selects from."""
        select = insert.select_stmt.select_stmt
        sources = [item.range_subselect.subquery.select_stmt for item in select.from_clause]
        return next((s.values_lists for s in (select, *sources) if s.values_lists), [])

    for number, row in enumerate(rows(node)):

        def fewer(insert: Any, number: int = number) -> None:
            del rows(insert)[number]

        yield f"no row {number}", fewer, False
        for place, value in enumerate(row.list.items):
            if value.WhichOneof("node") == "a_const" and not value.a_const.isnull:

                def other(insert: Any, number: int = number, place: int = place) -> None:
                    _other_value(rows(insert)[number].list.items[place])

                yield f"another value {place} in row {number}", other, False


_EDITS: dict[str, Callable[[Any], Iterator[tuple[str, Edit, bool]]]] = {
    "create_policy_stmt": _policy,
    "create_stmt": _table,
    "index_stmt": _index,
    "create_trig_stmt": _trigger,
    "create_function_stmt": _function,
    "grant_stmt": _grant,
    "alter_table_stmt": _alter,
    "comment_stmt": _comment,
    "do_stmt": _do,
    "create_enum_stmt": _enum,
    "insert_stmt": _insert,
}
_ACCESS = {
    "create_policy_stmt",
    "create_function_stmt",
    "create_trig_stmt",
    "grant_stmt",
    "do_stmt",
}


def _additions(migration: Migration) -> Iterator[Mutant]:
    """Things that nobody asked for, at the end of a file."""
    tables = {
        f'"{s.create_stmt.relation.schemaname or "public"}"."{s.create_stmt.relation.relname}"'
        for s in (raw.stmt for raw in postgast.parse(migration.sql).stmts)
        if s.WhichOneof("node") == "create_stmt"
    }
    for table in sorted(tables):
        for label, sql, access in (
            ("one more column", f"alter table {table} add column surplus text", False),
            ("a policy for anon", f"create policy surplus on {table} to anon using (true)", True),
            (
                "a policy for everyone",
                f"create policy surplus on {table} for select using (true)",
                True,
            ),
            (
                "a policy for users",
                f"create policy surplus on {table} for insert to authenticated with check (true)",
                True,
            ),
            ("a grant to anon", f"grant select on {table} to anon", True),
            ("a grant to all", f"grant select on {table} to public", True),
            ("truncate for users", f"grant truncate on {table} to authenticated", True),
            ("one more trigger", f"create trigger surplus before insert on {table} for each row "
             "execute function public.update_updated_at()", True),
            ("one more index", f"create index surplus on {table} (created_at)", False),
            ("no row level security", f"alter table {table} disable row level security", True),
            ("an owner", f"alter table {table} owner to service_role", True),
        ):  # fmt: skip
            yield Mutant(
                f"{migration.id}: {label} on {table}", f"{migration.sql}\n;{sql};\n", access
            )
    if "create function" in migration.sql:
        for raw in postgast.parse(migration.sql).stmts:
            if raw.stmt.WhichOneof("node") == "create_function_stmt":
                name = ".".join(p.string.sval for p in raw.stmt.create_function_stmt.funcname)
                for role in ("public", "anon", "authenticated"):
                    yield Mutant(
                        f"{migration.id}: execute on {name} to {role}",
                        f"{migration.sql}\n;grant execute on function {name}() to {role};\n",
                        access=True,
                    )

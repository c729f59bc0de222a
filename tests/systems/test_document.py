"""Each system's page says what is there: every table, name and example of it is looked up."""

import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from conftest import ROOT
from systems.owner import Owner, migration_files
from systems.system import PLATFORM, SYSTEMS, System, world_of

ROLES = ("anon", "authenticated", "service_role")
SECTION = re.compile(r"^## \d\. (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`")
TYPE = "format_type(atttypid, atttypmod)"
for long, short in {
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "character varying": "varchar",
    "feature_planner.": "",
}.items():
    TYPE = f"replace({TYPE}, '{long}', '{short}')"
DEFAULT = {
    "coding_sessions": "replace({}, '::text', '')",
    "feature_planner": "split_part({}, '::', 1)",
    "learning_plans": r"regexp_replace({}, '::\w+$', '')",
    "monthly_planner": "regexp_replace({}, '^nextval.*', 'sequence')",
    "workouts": "replace({}, '::character varying', '')",
}
"""How a page writes a default."""
RIGHTS = ("select", "insert", "update", "delete", "truncate", "references")


class Page:
    """A system's page, by its sections."""

    def __init__(self, ours: System) -> None:
        self.text = ours.text
        self.sections: dict[str, str] = dict(SECTION.findall(ours.text))
        self.ours = ours

    def rows(self, section: str, cells: int | None = None) -> list[tuple[str, ...]]:
        """The rows of a section's tables with so many cells, without heads and code marks."""
        return table_rows(self.sections[section], cells)

    def about(self, table: str) -> str:
        """What it says of a table."""
        (found,) = re.findall(
            rf"^### `{table}`$(.*?)(?=^###)", self.sections["Tables"], re.MULTILINE | re.DOTALL
        )
        return str(found)

    def drawn(self, table: str) -> list[tuple[str, ...]]:
        """The columns of a table in the diagram, each with its type and name."""
        (diagram,) = self.ours.blocks("mermaid")
        (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
        return [tuple(line.split()[:2]) for line in body.splitlines()]


def table_rows(text: str, cells: int | None = None) -> list[tuple[str, ...]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [tuple(c.strip().replace("`", "") for c in li.strip("|").split("|")) for li in lines]
    rules = {i for i, row in enumerate(rows) if set("".join(row)) <= set("-")}
    rest = [row for i, row in enumerate(rows) if not {i, i + 1} & rules]
    return [row for row in rest if cells in {None, len(row)}]


@pytest.fixture(scope="module", params=SYSTEMS)
def world(request: pytest.FixtureRequest) -> ModuleType:
    return world_of(request.param)


@pytest.fixture
def ours(world: ModuleType) -> System:
    found: System = world.OURS
    return found


@pytest.fixture
def page(ours: System) -> Page:
    return Page(ours)


@pytest.fixture
def db(shared: Owner) -> Owner:
    """Every test here only looks."""
    return shared


def of(*names: str) -> pytest.MarkDecorator:
    """Have a test ask only some of the pages."""
    return pytest.mark.parametrize("world", names, indirect=True)


def test_it_has_the_nine_sections(page: Page) -> None:
    assert list(page.sections) == [
        "Overview",
        "ER Diagram",
        "Tables",
        "RLS Policies",
        "Indexes",
        "Triggers & Functions",
        "Seed Data",
        "Testing",
        "Migrations",
    ]


@of("feature_planner", "monthly_planner", "workouts")
def test_overview_counts_what_is_there(db: Owner, ours: System, page: Page) -> None:
    listed = {row[0]: row[2:] for row in page.rows("Overview", 5)}

    assert tuple(listed) == ours.tables
    for table, said in listed.items():
        ((columns, parents, indexes),) = db.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select array_agg(split_part(confrelid::regclass::text, '.', -1)) "
            "from pg_constraint where conrelid = c.oid and contype = 'f'), "
            "(select count(*) from pg_index where indrelid = c.oid "
            "and not indisunique and not indisexclusion) "
            "from pg_class as c where c.oid = %s::regclass",
            db.place(table),
        )
        assert (int(said[0]), int(said[2])) == (columns, indexes)
        assert sorted(said[1].split(", ")) == sorted(parents or ["–"])


@of("learning_plans")
def test_overview_counts_policies_and_triggers(db: Owner, ours: System, page: Page) -> None:
    listed = page.rows("Overview", 6)

    for table, _, *counts in listed:
        assert db.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select count(*) from pg_policy where polrelid = c.oid), "
            "(select count(*) from pg_index where indrelid = c.oid "
            "and not exists (select from pg_constraint where conindid = indexrelid)), "
            "(select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal) "
            "from pg_class as c where c.oid = %s::regclass",
            db.place(table),
        ) == [tuple(map(int, counts))]
    assert {row[0] for row in listed} == set(ours.tables)


@of("workouts")
def test_objects_are_as_many_as_the_design_has_and_ours(db: Owner) -> None:
    constraints = dict(
        db.rows(
            "select contype::text, count(*) from pg_constraint "
            "where connamespace = 'public'::regnamespace and contype <> 'n' group by 1"
        )
    )
    assert constraints == {"p": 14, "f": 22, "c": 26 + 3, "u": 9, "x": 1}
    assert db.value("select count(*) from pg_indexes where schemaname = 'public'") == 73 + 2


def test_diagram_has_the_foreign_keys_and_no_other_line(db: Owner, ours: System) -> None:
    (diagram,) = ours.blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    name = "replace(replace({}::regclass::text, 'feature_planner.', ''), '.', '_')"
    keys = db.rows(
        f"select {name.format('confrelid')}, {name.format('conrelid')} from pg_constraint "
        "where contype = 'f' and connamespace = %s::regnamespace",
        ours.schema,
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys)


def test_columns_are_drawn_and_described_as_they_are(db: Owner, ours: System, page: Page) -> None:
    default = DEFAULT[ours.name].format("pg_get_expr(adbin, adrelid)")
    users = ("users",) if ours.name == "feature_planner" else ()
    for table in (*users, *ours.tables):
        found = db.rows(
            f"select a.attname::text, {TYPE}, "
            f"case when attnotnull then 'no' else 'yes' end, coalesce({default}, '–') "
            "from pg_attribute as a "
            "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
            "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
            db.place(table),
        )
        assert [row[:4] for row in table_rows(page.about(table))] == found
        assert page.drawn(table) == [(kind.partition("(")[0], name) for name, kind, _, _ in found]


@of("feature_planner", "learning_plans")
def test_enums_are_listed_as_they_are(db: Owner, page: Page) -> None:
    assert sorted(page.rows("Tables", 2)) == db.rows(
        "select typname::text, string_agg(enumlabel, ', ' order by enumsortorder) "
        "from pg_enum join pg_type as t on t.oid = enumtypid "
        'group by typname order by typname collate "C"'
    )


@of("feature_planner")
def test_enums_are_those_of_the_tests(world: ModuleType, page: Page) -> None:
    assert [name for name, _ in page.rows("Tables", 2)] == list(world.ENUMS)


@of("monthly_planner")
def test_enums_are_told_as_they_are(db: Owner, page: Page) -> None:
    for name, values in db.rows(
        "select enumtypid::regtype::text, array_agg(enumlabel::text order by enumsortorder) "
        "from pg_enum group by enumtypid"
    ):
        listed = ", ".join(f"`{value}`" for value in values)
        assert f"`{name}` ({listed})" in " ".join(page.sections["Overview"].split())


@of("monthly_planner")
def test_constraints_that_are_ours_are_named(db: Owner, page: Page) -> None:
    ours = {row[0].partition(":")[0] for row in page.rows("Overview", 2)}

    for (name,) in db.rows(
        "select conname::text from pg_constraint where contype in ('u', 'c') "
        "and conrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace "
        "and relname <> 'users')"
    ):
        assert name in ours


@of("workouts")
def test_lists_of_values_are_written_beside_their_columns(db: Owner, page: Page) -> None:
    written = [set(row[4].partition(";")[0].split(", ")) for row in page.rows("Tables", 5)]
    found = db.rows(
        "select array_agg(distinct value[1]) from pg_constraint, "
        "regexp_matches(pg_get_constraintdef(oid), '''(\\w+)''::text', 'g') as value "
        "where contype = 'c' and connamespace = 'public'::regnamespace group by oid"
    )
    assert len(found) == 10
    for (values,) in found:
        assert set(values) in written


@of("coding_sessions", "feature_planner", "learning_plans")
def test_policies_are_listed_as_they_are(db: Owner, ours: System, page: Page) -> None:
    # One page leaves out the role: it is the same for all.
    cells = 4 if ours.name == "coding_sessions" else 5
    found = db.rows(
        "select tablename::text, policyname::text, lower(cmd), array_to_string(roles, ', ') "
        "from pg_policies where schemaname = %s",
        ours.schema,
    )
    listed = [row[: cells - 1] for row in page.rows("RLS Policies", cells)]
    assert sorted(listed) == sorted(row[: cells - 1] for row in found)


@of("learning_plans")
def test_conditions_of_policies_are_told_as_they_are(page: Page) -> None:
    for _, name, _, _, condition in page.rows("RLS Policies", 5):
        assert (condition == "true") == name.endswith("_service")
        assert condition.endswith("before and after") == ("_update_own" in name)


@of("learning_plans")
def test_condition_is_quoted_as_it_is_written(ours: System, page: Page) -> None:
    (condition,) = re.findall(r"^```\n(plan_id = any .*?)^```$", page.text, re.M | re.S)
    migration = (ours.folder / "004_add_plan_schedules_table.sql").read_text()

    written = "".join(f"    {line}\n" for line in condition.splitlines())
    assert migration.count(written) == 5


@of("monthly_planner", "workouts")
def test_there_is_no_policy_as_it_says(db: Owner, page: Page) -> None:
    assert page.sections["RLS Policies"].lstrip().startswith("None: ")
    assert db.value("select count(*) from pg_policies") == 0


@of("workouts")
def test_there_is_no_row_security_and_no_grant(db: Owner) -> None:
    assert db.value(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace "
        "and (relrowsecurity or relacl is not null)"
    ) == 0  # fmt: skip


def listed_rights(cell: str) -> Iterator[tuple[str, str]]:
    """The rights in a cell: `select; insert of a and b` is one on the table and two on columns."""
    for part in cell.split("; "):
        rights, _, columns = part.partition(" of ")
        for right in rights.split(", "):
            yield from ((right, name) for name in re.split(", | and ", columns))


@of("coding_sessions")
def test_grants_are_listed_as_they_are(db: Owner, ours: System, page: Page) -> None:
    listed = {row[0]: row[1:] for row in page.rows("RLS Policies", 3)}

    for table in ours.tables:
        for role, said in zip(ROLES[1:], listed[table], strict=True):
            granted = db.rows(
                "select lower(entry.privilege_type), acls.name from pg_class as c "
                "cross join lateral (select '', c.relacl union all "
                "  select attname::text, attacl from pg_attribute where attrelid = c.oid"
                ") as acls (name, acl) cross join aclexplode(acls.acl) as entry "
                "where c.oid = %s::regclass and entry.grantee = %s::regrole",
                db.place(table),
                role,
            )
            assert sorted(listed_rights(said)) == sorted(granted)


def columns_with(db: Owner, role: str, table: str, right: str) -> set[str]:
    """The columns on which a role has a right that it has not on the table."""
    return {
        name
        for (name,) in db.rows(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and has_column_privilege(%s, attrelid, attnum, %s) "
            "and not has_table_privilege(%s, attrelid, %s)",
            db.place(table),
            role,
            right,
            role,
            right,
        )
    }


@of("learning_plans")
def test_rights_are_listed_as_they_are(db: Owner, ours: System, page: Page) -> None:
    listed = {row[0]: row[1:] for row in page.rows("RLS Policies", 4)}

    assert set(listed) == set(ours.tables)
    for table in ours.tables:
        for role, said in zip(ROLES, listed[table], strict=True):
            on_table, *on_columns = said.split("; ")
            has = "select has_table_privilege(%s, %s, %s)"
            for right in RIGHTS:
                granted = db.value(has, role, db.place(table), right)
                assert granted == (right in on_table.split(", "))
            told = {
                right: set(re.split(", | and ", names))
                for right, names in (text.split(" of ") for text in on_columns)
            }
            for right in ("select", "insert", "update", "references"):
                assert columns_with(db, role, table, right) == told.get(right, set())


@of("feature_planner")
def test_rights_of_the_one_role_are_listed_as_they_are(db: Owner, page: Page) -> None:
    listed = {row[0]: row[1] for row in page.rows("RLS Policies", 3)}

    rights = (
        "select string_agg(distinct lower(privilege_type), ', ') from {}, aclexplode({}) "
        "where grantee = 'authenticated'::regrole and {}"
    )
    here = "relnamespace = 'feature_planner'::regnamespace"
    found = {
        "schema feature_planner": rights.format(
            "pg_namespace", "nspacl", "nspname = 'feature_planner'"
        ),
        "seven of the tables": rights.format(
            "pg_class", "relacl", f"{here} and relname <> 'discovered_files'"
        ),
        "discovered_files": rights.format("pg_class", "relacl", "relname = 'discovered_files'"),
        "its columns but added_by_user_id": rights.format(
            "pg_attribute", "attacl", "attrelid = 'feature_planner.discovered_files'::regclass"
        ),
        "caller_id()": rights.format("pg_proc", "proacl", "proname = 'caller_id'"),
        "tables to come": rights.format(
            "pg_default_acl", "defaclacl", "defaclobjtype = 'r' and defaclnamespace = "
            "'feature_planner'::regnamespace"
        ),
        "sequences to come": rights.format(
            "pg_default_acl", "defaclacl", "defaclobjtype = 'S' and defaclnamespace = "
            "'feature_planner'::regnamespace"
        ),
    }  # fmt: skip
    assert set(listed) == set(found)
    for name, query in found.items():
        assert sorted(listed[name].split(", ")) == sorted(db.value(query).split(", "))


def test_indexes_are_listed_as_they_are(db: Owner, ours: System, page: Page) -> None:
    # Those that are not a constraint's; parentheses and casts are PostgreSQL's.
    found = db.rows(
        r"select i.relname::text, regexp_replace(lower(pg_get_indexdef(i.oid)), "
        r"'^.* using \w+ \(|::text|::regconfig|[()]', '', 'g') "
        "from pg_index join pg_class as i on i.oid = indexrelid "
        "where i.relnamespace = %s::regnamespace "
        "and not exists (select from pg_constraint where conindid = indexrelid) "
        'order by i.relname collate "C"',
        ours.schema,
    )
    bare = str.maketrans("", "", "()")
    listed = [(row[0], row[1].translate(bare)) for row in page.rows("Indexes", 3)]
    assert sorted(listed) == found


def test_queries_are_listed_with_their_indexes(ours: System, page: Page) -> None:
    files = {file.stem: file.read_text() for file in (ours.folder / "queries").glob("*.sql")}
    plans = {
        name: re.findall(r"^-- plan: index (\w+)$", text, re.MULTILINE)
        for name, text in files.items()
    }
    indexes = {index for wanted in plans.values() for index in wanted}
    # Two pages tell plans in other words.
    names_indexes = ours.name not in {"coding_sessions", "learning_plans"}
    listed = page.rows("Indexes", 4 if names_indexes else 5)

    assert {row[0] for row in listed} == {n for n, text in files.items() if "-- query:" in text}
    for name, said, *_ in listed if names_indexes else ():
        assert [word for word in re.findall(r"\w+", said) if word in indexes] == plans[name]


@of("monthly_planner", "learning_plans")
def test_there_is_no_trigger_and_no_function_as_it_says(db: Owner, page: Page) -> None:
    assert re.match(r"\s*None(?: of its own)?\. ", page.sections["Triggers & Functions"] + " ")
    assert db.rows("select tgname from pg_trigger where not tgisinternal") == []
    ours = "select proname from pg_proc where pronamespace = 'public'::regnamespace"
    assert db.rows(ours) == []


@of("coding_sessions", "feature_planner", "workouts")
def test_triggers_are_listed_as_they_are(db: Owner, ours: System, page: Page) -> None:
    cells = {"coding_sessions": 4, "feature_planner": 3, "workouts": None}[ours.name]
    upto = {"coding_sessions": 4, "feature_planner": 2, "workouts": 3}[ours.name]
    when = (
        "lower(substring(pg_get_triggerdef(t.oid) from '(?:BEFORE|AFTER) [A-Z]+')), "
        "tgfoid::regproc::text || '()'"
        if ours.name == "coding_sessions"
        else "case tgtype when 7 then 'insert' when 19 then 'update' "
        "when 23 then 'insert or update of name' end"
    )
    found = db.rows(
        f"select tgname::text, replace(tgrelid::regclass::text, 'feature_planner.', ''), {when} "
        "from pg_trigger as t where not tgisinternal"
    )
    listed = [row[:upto] for row in page.rows("Triggers & Functions", cells)]
    assert sorted(listed) == sorted(row[:upto] for row in found)
    assert found


@of("workouts")
def test_functions_are_listed_as_they_are(db: Owner, page: Page) -> None:
    listed = re.findall(r"^- `(\w+)\((.*)\)`", page.sections["Triggers & Functions"], re.M)

    assert sorted(listed) == db.rows(
        "select proname::text, coalesce(array_to_string(proargnames, ', '), '') from pg_proc "
        "where pronamespace = 'public'::regnamespace order by 1"
    )


@of("feature_planner")
def test_the_timeout_it_speaks_of_is_the_moves_and_less_than_that_of_deadlocks(
    db: Owner, ours: System, world: ModuleType, page: Page
) -> None:
    assert ours.described().by_id[world.MOVE].directives.lock_timeout == "500ms"
    assert "waits half a second for all of them together" in " ".join(
        page.sections["Migrations"].split()
    )
    assert db.value(
        "select setting::integer > 500 from pg_settings where name = 'deadlock_timeout'"
    )


def test_migrations_and_test_files_are_listed_as_they_are(ours: System, page: Page) -> None:
    # A page may have another small table there, of numbers.
    migrations = [row[0] for row in page.rows("Migrations") if len(row[0]) > 3]
    tests = {row[0] for row in page.rows("Testing")}

    assert migrations == [file.stem for file in migration_files(ours.folder)]
    assert tests == {file.name for file in ours.tests.glob("test_*.py")} | {"test_document.py"}
    assert all(file.exists() for file in migration_files(PLATFORM))


EXAMPLES = [
    (name, number) for name in SYSTEMS for number in range(len(world_of(name).OURS.blocks("sql")))
]


@pytest.mark.parametrize(("world", "number"), EXAMPLES, indirect=["world"])
def test_examples_run_and_find_something_to_do(
    committed: Owner, ours: System, world: ModuleType, number: int
) -> None:
    committed.rows(ours.seed.read_text())
    if prepare := getattr(world, "before_examples", None):
        prepare(committed)

    with committed.connection.transaction():
        cursor = committed.connection.execute(ours.blocks("sql")[number].encode())
        while True:
            assert cursor.rowcount > 0 or cursor.statusmessage == "SET"
            if not cursor.nextset():
                break


def test_files_that_a_page_names_are_there(ours: System) -> None:
    for file in (ROOT / "docs" / ours.name).glob("*.md"):
        for name in NAMED.findall(file.read_text()):
            assert (ROOT / name).exists(), (file.name, name)


@of("workouts")
def test_names_that_it_names_are_there(db: Owner, page: Page) -> None:
    names = {
        name
        for (name,) in db.rows(
            "select relname::text from pg_class union all select conname::text from pg_constraint"
        )
    }
    for name in re.findall(r"`((?:idx_\w+|unique_\w+|users_invited\w+))`", page.text):
        # Named by the document because they are not there.
        assert (name in names) != (name == "idx_users_email")

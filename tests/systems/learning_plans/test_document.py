"""The document says what is there: every table, name and example of it is looked up."""

import re

import pytest

from systems.owner import migration_files

from .conftest import PLATFORM, ROOT, SYSTEM, TABLES
from .test_queries import FILES
from .test_seed import SEED

FOLDER = ROOT / "docs" / "learning_plans"
TEXT = (FOLDER / "DATABASE.md").read_text()
SECTION = re.compile(r"^## \d\. (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(TEXT))
ROLES = ("anon", "authenticated", "service_role")


def table_rows(text):
    """The cells of a Markdown table's rows, without code marks; the head and its rule left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip().replace("`", "") for c in line.strip("|").split("|")] for line in lines]
    rules = {i for i, row in enumerate(cells) if set("".join(row)) <= set("-")}
    return [row for i, row in enumerate(cells) if not {i, i + 1} & rules]


def blocks(language):
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_it_has_the_nine_sections():
    assert list(SECTIONS) == [
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


def test_counts_of_the_overview(learning_plans):
    listed = [row for row in table_rows(SECTIONS["Overview"]) if len(row) == 6]

    for table, _, *counts in listed:
        assert learning_plans.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select count(*) from pg_policy where polrelid = c.oid), "
            "(select count(*) from pg_index where indrelid = c.oid "
            "and not exists (select from pg_constraint where conindid = indexrelid)), "
            "(select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal) "
            "from pg_class as c where c.oid = %s::regclass",
            f"public.{table}",
        ) == [tuple(map(int, counts))]
    assert {row[0] for row in listed} == set(TABLES)


def test_diagram_has_the_foreign_keys_and_no_other_line(learning_plans):
    (diagram,) = blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    keys = learning_plans.rows(
        "select confrelid::regclass::text, conrelid::regclass::text "
        "from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys)


def test_diagram_has_every_column(learning_plans):
    (diagram,) = blocks("mermaid")

    for table in TABLES:
        (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
        entity = [tuple(line.split()[:2]) for line in body.splitlines()]
        assert entity == learning_plans.rows(
            "select replace(format_type(atttypid, null), 'timestamp with time zone', "
            "'timestamptz'), attname from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 order by attnum",
            f"public.{table}",
        )


def test_enums_are_listed_as_they_are(learning_plans):
    listed = [tuple(row) for row in table_rows(SECTIONS["Tables"]) if len(row) == 2]

    assert sorted(listed) == learning_plans.rows(
        "select enumtypid::regtype::text, string_agg(enumlabel, ', ' order by enumsortorder) "
        "from pg_enum group by 1 order by 1"
    )


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_described_as_they_are(learning_plans, table):
    (section,) = re.findall(
        rf"^### `{table}`$(.*?)(?=^###)", SECTIONS["Tables"], re.MULTILINE | re.DOTALL
    )

    assert [tuple(row[:4]) for row in table_rows(section)] == learning_plans.rows(
        "select a.attname::text, "
        "replace(format_type(atttypid, null), 'timestamp with time zone', 'timestamptz'), "
        "case when attnotnull then 'no' else 'yes' end, "
        r"coalesce(regexp_replace(pg_get_expr(adbin, adrelid), '::\w+$', ''), '–') "
        "from pg_attribute as a "
        "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        f"public.{table}",
    )


def test_policies_are_listed_as_they_are(learning_plans):
    listed = [tuple(row[:4]) for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 5]

    assert sorted(listed) == sorted(
        learning_plans.rows(
            "select tablename::text, policyname::text, lower(cmd), "
            "array_to_string(roles, ', ') from pg_policies where schemaname = 'public'"
        )
    )
    conditions = {row[1]: row[4] for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 5}
    for name, condition in conditions.items():
        assert (condition == "true") == name.endswith("_service")
        assert condition.endswith("before and after") == ("_update_own" in name)


def _columns(db, role, table, right):
    return {
        name
        for (name,) in db.rows(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and has_column_privilege(%s, attrelid, attnum, %s) "
            "and not has_table_privilege(%s, attrelid, %s)",
            f"public.{table}",
            role,
            right,
            role,
            right,
        )
    }


def test_rights_are_listed_as_they_are(learning_plans):
    listed = {row[0]: row[1:] for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 4}

    assert set(listed) == set(TABLES)
    for table in TABLES:
        for role, said in zip(ROLES, listed[table], strict=True):
            on_table, *on_columns = said.split("; ")
            has = "select has_table_privilege(%s, %s, %s)"
            for right in ("select", "insert", "update", "delete", "truncate", "references"):
                granted = learning_plans.value(has, role, f"public.{table}", right)
                assert granted == (right in on_table.split(", "))
            told = {
                right: set(re.split(", | and ", names))
                for right, names in (text.split(" of ") for text in on_columns)
            }
            for right in ("select", "insert", "update", "references"):
                found = _columns(learning_plans, role, table, right)
                assert found == told.get(right, set())


def test_indexes_are_listed_as_they_are(learning_plans):
    listed = [tuple(row[:2]) for row in table_rows(SECTIONS["Indexes"]) if len(row) == 3]

    assert sorted(listed) == learning_plans.rows(
        r"select indexname::text, lower(substring(indexdef from '\((.*)\)')) from pg_indexes "
        "where schemaname = 'public' and left(indexname, 4) = 'idx_' order by 1"
    )


def test_there_are_no_triggers_and_functions(learning_plans):
    assert SECTIONS["Triggers & Functions"].strip().startswith("None of its own.")
    assert learning_plans.rows("select tgname from pg_trigger where not tgisinternal") == []
    assert (
        learning_plans.rows(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        )
        == []
    )


def test_queries_are_listed_as_they_are():
    listed = {row[0] for row in table_rows(SECTIONS["Indexes"]) if len(row) == 5}

    assert listed == set(FILES)


def test_migrations_and_test_files_are_listed_as_they_are():
    migrations = [row[0] for row in table_rows(SECTIONS["Migrations"])]
    tests = {row[0] for row in table_rows(SECTIONS["Testing"])}

    assert migrations == [file.stem for file in migration_files(SYSTEM)]
    assert tests == {
        file.name for file in (ROOT / "tests" / "systems" / "learning_plans").glob("test_*.py")
    }
    assert all(file.exists() for file in migration_files(PLATFORM))


def test_condition_is_quoted_as_it_is_written():
    (condition,) = re.findall(r"^```\n(plan_id = any .*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    migration = (SYSTEM / "004_add_plan_schedules_table.sql").read_text()

    written = "".join(f"    {line}\n" for line in condition.splitlines())
    assert migration.count(written) == 5


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_examples_run(learning_plans, number):
    learning_plans.rows(SEED.read_text())

    with learning_plans.connection.transaction():
        cursor = learning_plans.connection.execute(blocks("sql")[number])
        while True:
            assert cursor.rowcount > 0 or cursor.statusmessage == "SET"
            if not cursor.nextset():
                break


def test_files_that_the_page_names_are_there():
    for name in re.findall(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`", TEXT):
        assert (ROOT / name).exists()

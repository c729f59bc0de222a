"""The planner's document says what is there: every table, name and example is looked up."""

import re

import pytest

from systems.owner import migration_files

from .conftest import ROOT, SEED, SYSTEM, TABLES, TEXT, blocks
from .test_queries import FILES, INDEXES

SECTION = re.compile(r"^## \d\. (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(TEXT))
SHORT = (
    "replace(replace(format_type({}), 'timestamp without time zone', 'timestamp'), "
    "'character varying', 'varchar')"
)


def table_rows(text):
    """The cells of a Markdown table's rows, without code marks; the head and its rule left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip().replace("`", "") for c in line.strip("|").split("|")] for line in lines]
    rules = {i for i, row in enumerate(cells) if set("".join(row)) <= set("-")}
    return [row for i, row in enumerate(cells) if not {i, i + 1} & rules]


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


def test_overview_counts_what_is_there(monthly_planner):
    listed = {row[0]: row[2:] for row in table_rows(SECTIONS["Overview"]) if len(row) == 5}

    assert tuple(listed) == TABLES
    for table, said in listed.items():
        ((columns, parents, indexes),) = monthly_planner.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select array_agg(confrelid::regclass::text) from pg_constraint "
            "where conrelid = c.oid and contype = 'f'), "
            "(select count(*) from pg_index where indrelid = c.oid and not indisunique) "
            "from pg_class as c where c.oid = %s::regclass",
            f"public.{table}",
        )
        assert (int(said[0]), int(said[2])) == (columns, indexes)
        assert sorted(said[1].split(", ")) == sorted(parents or ["–"])


def test_diagram_has_the_foreign_keys_and_no_other_line(monthly_planner):
    (diagram,) = blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    keys = monthly_planner.rows(
        "select confrelid::regclass::text, conrelid::regclass::text from pg_constraint "
        "where contype = 'f' and connamespace = 'public'::regnamespace"
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys)


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_drawn_and_described_as_they_are(monthly_planner, table):
    (diagram,) = blocks("mermaid")
    (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
    (section,) = re.findall(
        rf"^### `{table}`$(.*?)(?=^###)", SECTIONS["Tables"], re.MULTILINE | re.DOTALL
    )

    found = monthly_planner.rows(
        f"select a.attname::text, {SHORT.format('atttypid, atttypmod')}, "
        "case when attnotnull then 'no' else 'yes' end, "
        "case when pg_get_expr(adbin, adrelid) like 'nextval%%' then 'sequence' "
        "else coalesce(pg_get_expr(adbin, adrelid), '–') end "
        "from pg_attribute as a "
        "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        f"public.{table}",
    )
    assert [tuple(row[:4]) for row in table_rows(section)] == found
    drawn = [tuple(line.split()[:2]) for line in body.splitlines()]
    assert drawn == [(kind.partition("(")[0], name) for name, kind, _, _ in found]


def test_constraints_that_are_ours_are_named(monthly_planner):
    ours = {row[0].partition(":")[0] for row in table_rows(SECTIONS["Overview"]) if len(row) == 2}

    for (name,) in monthly_planner.rows(
        "select conname::text from pg_constraint where contype in ('u', 'c') "
        "and conrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace "
        "and relname <> 'users')"
    ):
        assert name in ours


def test_enums_are_listed_as_they_are(monthly_planner):
    for name, values in monthly_planner.rows(
        "select enumtypid::regtype::text, array_agg(enumlabel::text order by enumsortorder) "
        "from pg_enum group by enumtypid"
    ):
        listed = ", ".join(f"`{value}`" for value in values)
        assert f"`{name}` ({listed})" in " ".join(SECTIONS["Overview"].split())


def test_there_is_no_policy_as_it_says(monthly_planner):
    assert SECTIONS["RLS Policies"].lstrip().startswith("None: ")
    assert monthly_planner.value("select count(*) from pg_policies") == 0


def test_there_is_no_trigger_and_no_function_as_it_says(monthly_planner):
    assert SECTIONS["Triggers & Functions"].lstrip().startswith("None. ")
    assert monthly_planner.value(
        "select count(*) from pg_proc where pronamespace = 'public'::regnamespace"
    ) == 0  # fmt: skip


def test_indexes_are_listed_as_they_are(monthly_planner):
    listed = [tuple(row[:2]) for row in table_rows(SECTIONS["Indexes"]) if len(row) == 3]

    found = monthly_planner.rows(
        r"select indexname::text, lower(substring(indexdef from '\((.*)\)')) from pg_indexes "
        "where schemaname = 'public' and left(indexname, 4) = 'idx_' order by 1"
    )
    assert sorted(listed) == found


def test_queries_are_listed_with_their_indexes():
    listed = {row[0]: row[1] for row in table_rows(SECTIONS["Indexes"]) if len(row) == 4}

    assert set(listed) == set(FILES)
    for name, said in listed.items():
        assert [said.partition(",")[0]] == INDEXES[name]


def test_migrations_and_test_files_are_listed_as_they_are():
    migrations = [row[0] for row in table_rows(SECTIONS["Migrations"])]
    tests = {row[0] for row in table_rows(SECTIONS["Testing"])}

    assert migrations == [file.stem for file in migration_files(SYSTEM)]
    assert tests == {
        file.name for file in (ROOT / "tests" / "systems" / "monthly_planner").glob("test_*.py")
    }


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_examples_run_and_find_something_to_do(monthly_planner, number):
    monthly_planner.rows(SEED.read_text())

    with monthly_planner.connection.transaction():
        cursor = monthly_planner.connection.execute(blocks("sql")[number])
        while True:
            assert cursor.rowcount > 0
            if not cursor.nextset():
                break


def test_files_that_it_names_are_there():
    for name in re.findall(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`", TEXT):
        assert (ROOT / name).exists()

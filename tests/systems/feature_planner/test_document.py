"""The planner's document says what is there: every table, name and example is looked up."""

import re

import pytest

from systems.owner import migration_files

from .conftest import ENUMS, MOVE, ROOT, SEED, SYSTEM, TABLES, TEXT, blocks, described
from .test_queries import FILES, INDEXES

SECTION = re.compile(r"^## \d\. (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(TEXT))
SHORT = (
    "replace(replace(replace(format_type({}), 'timestamp without time zone', 'timestamp'), "
    "'character varying', 'varchar'), 'feature_planner.', '')"
)


def table_rows(text):
    """The cells of a Markdown table's rows, without code marks; the head and its rule left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip().replace("`", "") for c in line.strip("|").split("|")] for line in lines]
    rules = {i for i, row in enumerate(cells) if set("".join(row)) <= set("-")}
    return [row for i, row in enumerate(cells) if not {i, i + 1} & rules]


def place(table):
    return f"{'public' if table == 'users' else 'feature_planner'}.{table}"


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


def test_overview_counts_what_is_there(planner):
    listed = {row[0]: row[2:] for row in table_rows(SECTIONS["Overview"]) if len(row) == 5}

    assert tuple(listed) == TABLES
    for table, said in listed.items():
        ((columns, parents, indexes),) = planner.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select array_agg(split_part(confrelid::regclass::text, '.', -1)) "
            "from pg_constraint where conrelid = c.oid and contype = 'f'), "
            "(select count(*) from pg_index where indrelid = c.oid and not indisunique) "
            "from pg_class as c where c.oid = %s::regclass",
            place(table),
        )
        assert (int(said[0]), int(said[2])) == (columns, indexes)
        assert sorted(said[1].split(", ")) == sorted(parents)


def test_diagram_has_the_foreign_keys_and_no_other_line(planner):
    (diagram,) = blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    keys = planner.rows(
        "select split_part(confrelid::regclass::text, '.', -1), "
        "split_part(conrelid::regclass::text, '.', -1) from pg_constraint where contype = 'f'"
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys) == 9


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_tables_are_described_and_drawn_as_they_are(planner):
    (diagram,) = blocks("mermaid")
    for table in ("users", *TABLES):
        (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
        (section,) = re.findall(
            rf"^### `{table}`$(.*?)(?=^###)", SECTIONS["Tables"], re.MULTILINE | re.DOTALL
        )
        found = planner.rows(
            f"select a.attname::text, {SHORT.format('atttypid, atttypmod')}, "
            "case when attnotnull then 'no' else 'yes' end, "
            "coalesce(split_part(pg_get_expr(adbin, adrelid), '::', 1), '–') "
            "from pg_attribute as a "
            "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
            "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
            place(table),
        )
        assert [tuple(row[:4]) for row in table_rows(section)] == found
        drawn = [tuple(line.split()[:2]) for line in body.splitlines()]
        assert drawn == [(kind.partition("(")[0], name) for name, kind, _, _ in found]


def test_enums_are_listed_as_they_are(planner):
    listed = [tuple(row) for row in table_rows(SECTIONS["Tables"]) if len(row) == 2]

    assert listed == planner.rows(
        "select typname::text, string_agg(enumlabel, ', ' order by enumsortorder) "
        "from pg_enum join pg_type as t on t.oid = enumtypid "
        'group by typname order by typname collate "C"'
    )
    assert [name for name, _ in listed] == sorted(ENUMS)


def test_policies_are_listed_as_they_are(planner):
    listed = [tuple(row[:4]) for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 5]

    assert sorted(listed) == planner.rows(
        "select tablename::text, policyname::text, lower(cmd), array_to_string(roles, ', ') "
        'from pg_policies order by tablename collate "C", policyname collate "C"'
    )


def test_rights_are_listed_as_they_are(planner):
    listed = {row[0]: row[1] for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 3}

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
        assert sorted(listed[name].split(", ")) == sorted(planner.value(query).split(", "))


def test_indexes_are_listed_as_they_are(planner):
    listed = [tuple(row[:2]) for row in table_rows(SECTIONS["Indexes"]) if len(row) == 3]

    found = planner.rows(
        r"select indexname::text, lower(substring(indexdef from 'USING \w+ \((.*)\)')) "
        "from pg_indexes where schemaname = 'feature_planner' and indexname not like '%%_pkey' "
        'order by indexname collate "C"'
    )
    assert sorted(listed) == [(name, text.replace("::regconfig", "")) for name, text in found]
    assert len(listed) == 44


def test_queries_are_listed_with_their_indexes():
    listed = {row[0]: row[1] for row in table_rows(SECTIONS["Indexes"]) if len(row) == 4}

    assert set(listed) == set(FILES)
    for name, said in listed.items():
        assert all(index in said for index in INDEXES[name])


def test_triggers_are_listed_as_they_are(planner):
    rows = table_rows(SECTIONS["Triggers & Functions"])
    listed = [tuple(row[:2]) for row in rows if len(row) == 3]

    assert sorted(listed) == planner.rows(
        "select tgname::text, relname::text from pg_trigger join pg_class as c on c.oid = tgrelid "
        "where not tgisinternal order by 1"
    )


def test_the_timeout_it_speaks_of_is_the_moves_and_less_than_that_of_deadlocks(planner):
    assert described().by_id[MOVE].directives.lock_timeout == "500ms"
    assert "waits half a second for all of them together" in " ".join(
        SECTIONS["Migrations"].split()
    )
    assert planner.value("select setting::integer > 500 from pg_settings "
                         "where name = 'deadlock_timeout'")  # fmt: skip


def test_migrations_and_test_files_are_listed_as_they_are():
    migrations = [row[0] for row in table_rows(SECTIONS["Migrations"])]
    tests = {row[0] for row in table_rows(SECTIONS["Testing"])}

    assert migrations == [file.stem for file in migration_files(SYSTEM)]
    assert tests == {
        file.name for file in (ROOT / "tests" / "systems" / "feature_planner").glob("test_*.py")
    }


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_examples_run_and_find_something_to_do(planner, number):
    planner.rows(SEED.read_text())

    with planner.connection.transaction():
        cursor = planner.connection.execute(blocks("sql")[number])
        while True:
            assert cursor.rowcount > 0
            if not cursor.nextset():
                break


def test_files_that_it_names_are_there():
    for name in re.findall(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`", TEXT):
        assert (ROOT / name).exists()

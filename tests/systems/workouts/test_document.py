"""The document says what is there: every table, name and example is looked up."""

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


def test_overview_counts_what_is_there(workouts):
    listed = {row[0]: row[2:] for row in table_rows(SECTIONS["Overview"]) if len(row) == 5}

    assert tuple(listed) == TABLES
    for table, said in listed.items():
        ((columns, parents, indexes),) = workouts.rows(
            "select (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0), "
            "(select array_agg(confrelid::regclass::text) from pg_constraint "
            "where conrelid = c.oid and contype = 'f'), "
            "(select count(*) from pg_index where indrelid = c.oid "
            "and not indisunique and not indisexclusion) "
            "from pg_class as c where c.oid = %s::regclass",
            f"public.{table}",
        )
        assert (int(said[0]), int(said[2])) == (columns, indexes)
        assert sorted(said[1].split(", ")) == sorted(parents or ["–"])


def test_objects_are_as_many_as_the_design_has_and_ours(workouts):
    constraints = dict(
        workouts.rows(
            "select contype::text, count(*) from pg_constraint "
            "where connamespace = 'public'::regnamespace and contype <> 'n' group by 1"
        )
    )
    assert constraints == {"p": 14, "f": 22, "c": 26 + 3, "u": 9, "x": 1}
    assert workouts.value("select count(*) from pg_indexes where schemaname = 'public'") == 73 + 2


def test_diagram_has_the_foreign_keys_and_no_other_line(workouts):
    (diagram,) = blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    keys = workouts.rows(
        "select confrelid::regclass::text, conrelid::regclass::text from pg_constraint "
        "where contype = 'f' and connamespace = 'public'::regnamespace"
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys)


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_drawn_and_described_as_they_are(workouts, table):
    (diagram,) = blocks("mermaid")
    (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
    (section,) = re.findall(
        rf"^### `{table}`$(.*?)(?=^###)", SECTIONS["Tables"], re.MULTILINE | re.DOTALL
    )

    found = workouts.rows(
        f"select a.attname::text, {SHORT.format('atttypid, atttypmod')}, "
        "case when attnotnull then 'no' else 'yes' end, "
        "coalesce(replace(pg_get_expr(adbin, adrelid), '::character varying', ''), '–') "
        "from pg_attribute as a "
        "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        f"public.{table}",
    )
    assert [tuple(row[:4]) for row in table_rows(section)] == found
    drawn = [tuple(line.split()[:2]) for line in body.splitlines()]
    assert drawn == [(kind.partition("(")[0], name) for name, kind, _, _ in found]


def test_lists_of_values_are_written_beside_their_columns(workouts):
    listed = [row for row in table_rows(SECTIONS["Tables"]) if len(row) == 5]
    found = workouts.rows(
        "select array_agg(distinct value[1]) from pg_constraint, "
        "regexp_matches(pg_get_constraintdef(oid), '''(\\w+)''::text', 'g') as value "
        "where contype = 'c' and connamespace = 'public'::regnamespace group by oid"
    )
    written = [set(row[4].partition(";")[0].split(", ")) for row in listed]
    assert len(found) == 10
    for (values,) in found:
        assert set(values) in written


def test_there_is_no_policy_as_it_says(workouts):
    assert SECTIONS["RLS Policies"].lstrip().startswith("None: ")
    assert workouts.value("select count(*) from pg_policies") == 0
    assert workouts.value(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace "
        "and (relrowsecurity or relacl is not null)"
    ) == 0  # fmt: skip


def test_triggers_are_listed_as_they_are(workouts):
    listed = [tuple(row[:3]) for row in table_rows(SECTIONS["Triggers & Functions"])]

    found = workouts.rows(
        "select tgname::text, tgrelid::regclass::text, case tgtype when 7 then 'insert' "
        "when 19 then 'update' when 23 then 'insert or update of name' end "
        "from pg_trigger where not tgisinternal order by 1"
    )
    assert sorted(listed) == found
    assert len(found) == 11


def test_functions_are_listed_as_they_are(workouts):
    listed = re.findall(r"^- `(\w+)\((.*)\)`", SECTIONS["Triggers & Functions"], re.MULTILINE)

    found = workouts.rows(
        "select proname::text, coalesce(array_to_string(proargnames, ', '), '') from pg_proc "
        "where pronamespace = 'public'::regnamespace order by 1"
    )
    assert sorted(listed) == found


def test_indexes_are_listed_as_they_are(workouts):
    listed = [tuple(row[:2]) for row in table_rows(SECTIONS["Indexes"]) if len(row) == 3]

    definition = r"lower(regexp_replace(indexdef, '^.* USING \w+ \(|::text', '', 'g'))"
    found = workouts.rows(
        f"select indexname::text, {definition} from pg_indexes "
        "where schemaname = 'public' and left(indexname, 4) = 'idx_' order by 1"
    )
    bare = str.maketrans("", "", "()")
    assert sorted((name, said.translate(bare)) for name, said in listed) == [
        (name, there.translate(bare)) for name, there in found
    ]
    assert len(listed) == 49 + 2


def test_queries_are_listed_with_their_indexes():
    listed = {row[0]: row[1] for row in table_rows(SECTIONS["Indexes"]) if len(row) == 4}

    assert set(listed) == set(FILES)
    for name, said in listed.items():
        assert said.split(", ") == INDEXES[name]


def test_migrations_and_test_files_are_listed_as_they_are():
    migrations = [row[0] for row in table_rows(SECTIONS["Migrations"]) if len(row[0]) > 3]
    tests = {row[0] for row in table_rows(SECTIONS["Testing"])}

    assert migrations == [file.stem for file in migration_files(SYSTEM)]
    assert tests == {
        file.name for file in (ROOT / "tests" / "systems" / "workouts").glob("test_*.py")
    }


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_examples_run_and_find_something_to_do(workouts, number):
    workouts.rows(SEED.read_text())

    cursor = workouts.connection.execute(blocks("sql")[number])
    while True:
        assert cursor.rowcount > 0
        if not cursor.nextset():
            break


def test_files_and_names_that_it_names_are_there(workouts):
    for name in re.findall(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`", TEXT):
        assert (ROOT / name).exists()
    names = {
        name
        for (name,) in workouts.rows(
            "select relname::text from pg_class union all select conname::text from pg_constraint"
        )
    }
    for name in re.findall(r"`((?:idx_\w+|unique_\w+|users_invited\w+))`", TEXT):
        # Named by the document because they are not there.
        assert (name in names) != (name == "idx_users_email")

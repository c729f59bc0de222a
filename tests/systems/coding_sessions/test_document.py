"""The documents say what is there: every table, name and example of them is looked up."""

import re

import pytest

from systems.owner import migration_files

from .conftest import PLATFORM, ROOT, SYSTEM, TABLES
from .test_queries import FILES
from .test_seed import SEED

FOLDER = ROOT / "docs" / "coding_sessions"
TEXT = (FOLDER / "DATABASE.md").read_text()
SECTION = re.compile(r"^## \d\. (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(TEXT))


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


def test_diagram_has_the_foreign_keys_and_no_other_line(coding_sessions):
    (diagram,) = blocks("mermaid")
    lines = re.findall(r"^  (\w+) \|\|--o[|{] (\w+) : ", diagram, re.MULTILINE)

    keys = coding_sessions.rows(
        "select replace(confrelid::regclass::text, '.', '_'), conrelid::regclass::text "
        "from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"
    )
    assert sorted(lines) == sorted(keys)
    assert diagram.count("--o") == len(keys)


def test_diagram_has_every_column(coding_sessions):
    (diagram,) = blocks("mermaid")

    for table in TABLES:
        (body,) = re.findall(rf"^  {table} {{\n(.*?)^  }}$", diagram, re.MULTILINE | re.DOTALL)
        entity = [tuple(line.split()[:2]) for line in body.splitlines()]
        assert entity == coding_sessions.rows(
            "select replace(format_type(atttypid, null), 'timestamp with time zone', "
            "'timestamptz'), attname from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 order by attnum",
            f"public.{table}",
        )


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_described_as_they_are(coding_sessions, table):
    (section,) = re.findall(
        rf"^### `{table}`$(.*?)(?=^###)", SECTIONS["Tables"], re.MULTILINE | re.DOTALL
    )

    assert [tuple(row[:4]) for row in table_rows(section)] == coding_sessions.rows(
        "select a.attname::text, "
        "replace(format_type(atttypid, null), 'timestamp with time zone', 'timestamptz'), "
        "case when attnotnull then 'no' else 'yes' end, "
        "coalesce(replace(pg_get_expr(adbin, adrelid), '::text', ''), '–') "
        "from pg_attribute as a "
        "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        f"public.{table}",
    )


def test_policies_are_listed_as_they_are(coding_sessions):
    listed = [tuple(row[:3]) for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 4]

    assert sorted(listed) == sorted(
        coding_sessions.rows(
            "select tablename::text, policyname::text, lower(cmd) from pg_policies "
            "where schemaname = 'public'"
        )
    )


def listed_rights(cell):
    """The rights in a cell: `select; insert of a and b` is one on the table and two on columns."""
    for part in cell.split("; "):
        rights, _, columns = part.partition(" of ")
        for right in rights.split(", "):
            yield from ((right, name) for name in re.split(", | and ", columns))


def test_rights_are_listed_as_they_are(coding_sessions):
    listed = {row[0]: row[1:] for row in table_rows(SECTIONS["RLS Policies"]) if len(row) == 3}

    for table in TABLES:
        for role, said in zip(("authenticated", "service_role"), listed[table], strict=True):
            granted = coding_sessions.rows(
                "select lower(entry.privilege_type), acls.name from pg_class as c "
                "cross join lateral (select '', c.relacl union all "
                "  select attname::text, attacl from pg_attribute where attrelid = c.oid"
                ") as acls (name, acl) cross join aclexplode(acls.acl) as entry "
                "where c.oid = %s::regclass and entry.grantee = %s::regrole",
                f"public.{table}",
                role,
            )
            assert sorted(listed_rights(said)) == sorted(granted)


def test_indexes_are_listed_as_they_are(coding_sessions):
    listed = [tuple(row[:2]) for row in table_rows(SECTIONS["Indexes"]) if len(row) == 3]

    found = coding_sessions.rows(
        r"select indexname::text, lower(substring(indexdef from '\((.*)\)')) from pg_indexes "
        "where schemaname = 'public' and right(indexname, 4) = '_idx' order by 1"
    )
    assert sorted(listed) == found


def test_triggers_are_listed_as_they_are(coding_sessions):
    listed = [tuple(row) for row in table_rows(SECTIONS["Triggers & Functions"]) if len(row) == 4]

    assert sorted(listed) == coding_sessions.rows(
        "select tgname::text, tgrelid::regclass::text, "
        "lower(substring(pg_get_triggerdef(oid) from '(?:BEFORE|AFTER) [A-Z]+')), "
        "tgfoid::regproc::text || '()' from pg_trigger where not tgisinternal order by 1"
    )


def test_queries_are_listed_as_they_are():
    listed = {row[0] for row in table_rows(SECTIONS["Indexes"]) if len(row) == 5}

    assert listed == set(FILES)


def test_migrations_and_test_files_are_listed_as_they_are():
    migrations = [row[0] for row in table_rows(SECTIONS["Migrations"])]
    tests = {row[0] for row in table_rows(SECTIONS["Testing"])}

    assert migrations == [file.stem for file in migration_files(SYSTEM)]
    assert tests == {
        file.name for file in (ROOT / "tests" / "systems" / "coding_sessions").glob("test_*.py")
    }
    assert all(file.exists() for file in migration_files(PLATFORM))


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_examples_run(coding_sessions, number):
    coding_sessions.rows(SEED.read_text())
    # Overdue, so that every statement has something to do.
    coding_sessions.rows("update public.coding_sessions set expires_at = now()")
    lost = coding_sessions.sign_up("lost@example.test")
    coding_sessions.rows("delete from public.profiles where id = %s", lost)

    with coding_sessions.connection.transaction():
        cursor = coding_sessions.connection.execute(blocks("sql")[number])
        while True:
            assert cursor.rowcount > 0 or cursor.statusmessage == "SET"
            if not cursor.nextset():
                break


@pytest.mark.parametrize("page", ["DATABASE.md", "links-map.md"])
def test_files_that_a_page_names_are_there(page):
    text = (FOLDER / page).read_text()

    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (FOLDER / link).exists()
    for name in re.findall(r"`((?:migrations|seed|tests|templates)/[\w./-]*)`", text):
        assert (ROOT / name).exists()

"""What is Flyway's own: versions, checksums, placeholders, repeatables, rows that are no migration."""

from pathlib import Path

import pytest

from adopt.test_contract import Project
from conftest import Folder
from pgvouch.adopt.flyway import checksum
from pgvouch.adopt.tools import recognised
from pgvouch.errors import UsageError


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("flyway", folder)


def put(project: Project, name: str, text: str) -> None:
    (project.path / "sql" / name).write_text(text)


def row(project: Project, rank: int, version: str | None, kind: str, stored: int | None) -> None:
    given = "null" if version is None else f"'{version}'"
    project.run.query(
        f"insert into flyway_schema_history values ({rank}, {given}, '<< row >>', '{kind}', 's', "
        f"{'null' if stored is None else stored}, 'release', now(), 1, true)"
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("select 1;\n", -690524359),
        ("\ufeffselect 1;\r\n", -690524359),
        ("", 0),
        ("select\r 1;\n\n", -690524359),
    ],
)
def test_the_checksum_is_flyways_own(text: str, number: int) -> None:
    assert checksum(text) == number


def test_a_form_feed_ends_no_line() -> None:
    assert checksum("select\f1;") != checksum("select1;")


def test_a_repeatable_that_flyway_has_run_is_not_run_again(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    found = project.run.query("select repeatable_id, applied_by from pgvouch.repeatable")
    assert found == [("repeat/book_titles", "flyway")]
    assert "nothing to do" in project.migrate().out


@pytest.mark.parametrize(("value", "state"), [("One", 0), ("Two", 3)])
def test_the_checksum_of_a_repeatable_is_that_of_its_text_with_the_values(
    project: Project, value: str, state: int
) -> None:
    project.make()
    text = "create or replace view book_titles as select title from books where title <> '{}';"
    put(project, "R__book_titles.sql", text.format("${title}"))
    stored = checksum(text.format(value))
    project.run.query(f"update flyway_schema_history set checksum = {stored} where version is null")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.run("status", "--exit-code").code == state
    assert project.migrate().code == 0
    assert project.run("status", "--exit-code").code == 0


def test_it_is_recorded_once(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    assert project.adopt().code == 0
    assert project.run.query("select count(*) from pgvouch.repeatable") == [(1,)]


def test_a_rollback_brings_back_the_text_that_flyway_has_run(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    project.run.write(
        {
            "100_next.sql": "select 1;",
            "100_next.rollback.sql": "select 1;",
            "repeat/book_titles.sql": "drop view book_titles;\n"
            "create view book_titles as select 'x' as title;",
        }
    )
    assert project.migrate().code == 0
    assert project.run.query("select * from book_titles") == [("x",)]
    project.run.write({"repeat/book_titles.rollback.sql": "drop view book_titles;"})
    assert project.run("rollback").code == 0
    assert project.run.query("select count(*) from pgvouch.repeatable") == [(1,)]
    assert project.run.query("select * from book_titles") == [("One",)]


def test_a_repeatable_that_no_transaction_can_hold_is_refused(project: Project) -> None:
    put(project, "R__analyze.sql", "vacuum;")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "R__analyze.sql cannot be run in a transaction, as all in repeat/ is" in ran.err


def test_a_repeatable_that_has_changed_since_is_pending(project: Project) -> None:
    project.make()
    put(project, "R__book_titles.sql", "create or replace view book_titles as select 1 as one;")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.run("status", "--exit-code").code == 3
    project.run.query("drop view book_titles")
    assert project.migrate().code == 0
    assert project.run.query("select one from book_titles") == [(1,)]
    assert "nothing to do" in project.migrate().out


def test_repeatables_keep_the_order_of_their_descriptions(project: Project) -> None:
    put(project, "R__b.sql", "select 1;")
    put(project, "R__b_2.sql", "select 2;")
    put(project, "R__b1.sql", "select 3;")  # behind `b 2`, and ahead of b_2
    assert project.adopt("--files-only").code == 0
    found = sorted(path.name for path in (project.run.path / "repeat").iterdir())
    assert found == ["1_b.sql", "2_b_2.sql", "3_b1.sql", "4_book_titles.sql"]


def test_versions_are_numbers_one_by_one(project: Project) -> None:
    put(project, "V1.10__ten.sql", "select 10;")
    put(project, "V1_02__two.sql", "select 2;")
    assert project.adopt("--files-only").code == 0
    found = sorted(path.name for path in project.run.path.glob("*.sql"))
    assert [name for name in found if "rollback" not in name] == [
        "001_create_books.sql",
        "002_title_idx.sql",
        "003_two.sql",
        "004_ten.sql",
        "005_seed.sql",
    ]


def test_placeholders_are_psql_variables_where_psql_fills_in(project: Project) -> None:
    put(
        project,
        "V3__x.sql",
        "-- for ${env}\ncreate table ${schema}.notes (a int default ${n}, b text default '${env}');\n"
        "select 1::${kind}, 'x ${title}', \"${schema}\";\n",
    )
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    text = (project.run.path / "004_x.sql").read_text()
    assert text.startswith("-- var: schema\n-- var: n\n-- var: env\n-- var: kind\n")
    assert "-- for ${env}\n" in text
    assert "create table :schema.notes (a int default :n, b text default :'env');" in text
    assert "select 1:: :kind, 'x One', :\"schema\";" in text
    assert "V3__x.sql:3: the value of ${title} is written here" in ran.out
    assert "give it with --var env=" in ran.out


@pytest.mark.parametrize("text", ["select 'a ${b}';", "do $$ begin raise '${b}'; end $$;"])
def test_a_placeholder_that_psql_cannot_fill_in_is_refused(project: Project, text: str) -> None:
    put(project, "V3__x.sql", f"\n{text}")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "V3__x.sql:2" in ran.err
    assert not project.run.path.exists()


def test_another_colon_is_not_filled_in(project: Project) -> None:
    put(project, "V3__x.sql", "select (array[1,2])[1:n], ${n} from (select 2 as n) as s;")
    assert project.adopt("--files-only").code == 0
    assert "[1:n], :n_ from" in (project.run.path / "004_x.sql").read_text()


def test_what_a_baseline_stands_for_is_there(project: Project) -> None:
    project.make()
    project.run.query("delete from flyway_schema_history where version in ('1', '1.1')")
    row(project, -1, "1.1", "BASELINE", None)
    row(project, 0, None, "SCHEMA", None)
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 4


@pytest.mark.parametrize("kind", ["UNDO_SQL", "DELETE"])
def test_what_was_undone_is_pending(project: Project, kind: str) -> None:
    project.make()
    row(project, 9, "2", kind, None)
    assert project.adopt().code == 0
    assert project.applied == ["001_create_books", "002_title_idx", "repeat/book_titles"]


def test_a_baseline_file_is_the_beginning_where_nothing_else_is(project: Project) -> None:
    (project.path / "sql" / "V1__create_books.sql").rename(
        project.path / "sql/B1__create_books.sql"
    )
    put(project, "B3__all.sql", "select 1;")
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    assert "B3__all.sql: it is left out" in ran.out
    assert (project.run.path / "001_create_books.sql").is_file()


def test_code_is_refused_and_what_runs_around_migrations_is_told(project: Project) -> None:
    put(project, "afterMigrate__grants.sql", "select 1;")
    assert "Flyway runs it around migrations" in project.adopt("--files-only").out
    put(project, "V3__x.java", "class V3__x {}")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "V3__x.java is code, which only Flyway runs" in ran.err


def test_a_file_without_a_transaction_keeps_it(project: Project) -> None:
    put(project, "V3__x.sql", "select 1;")
    put(project, "V3__x.sql.conf", "executeInTransaction=false\n")
    assert project.adopt("--files-only").code == 0
    assert "-- transactional: false" in (project.run.path / "004_x.sql").read_text()


@pytest.mark.parametrize("mark", ["Cargo.toml", "U9__other.sql"])
def test_a_folder_that_may_be_refinerys_is_not_taken_for_flyways(tmp_path: Path, mark: str) -> None:
    """Its U files go forward."""
    (tmp_path / "V1__x.sql").write_text("select 1;")
    assert recognised(tmp_path, None)[0].name == "flyway"
    (tmp_path / mark).write_text("")
    with pytest.raises(UsageError):
        recognised(tmp_path, None)

"""Files are stamped once, refused when a hand was in them, and never half written."""

import os
import stat
from pathlib import Path

import pytest

from pgvouch.errors import FileError, StampError
from pgvouch.stamp.rewrite import stamp_files, target_of
from pgvouch.stamp.templates import Target, Templates
from pgvouch.stamp.verdict import Stamped

TEMPLATE = """{#- pgvouch
doc = "a view"
sample = 't(table="projects")'
[arguments]
table = { type = "name", doc = "the table" }
number = { type = "integer", default = 1, doc = "what it shows" }
-#}
create view {{ table | ident }} as
  select {{ number | literal }} as number;
"""
VERIFY = """-- check: {{ table | visible }} shows {{ table | visible }}
select true;
-- check: it shows a number
select {{ number | literal }} > 0;
"""
STAMP = '-- stamp: t(table="projects")\n'


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "t.sql.j2").write_text(TEMPLATE)
    (folder / "t.rollback.sql.j2").write_text("drop view {{ table | ident }};\n")
    (folder / "t.verify.sql.j2").write_text(VERIFY)
    return Templates(folder)


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations" / "app"
    (folder / "verify").mkdir(parents=True)
    return folder


def change_template(migrations: Path, old: str, new: str, name: str = "t.sql.j2") -> Templates:
    path = migrations.parent.parent / "templates" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Templates(path.parent)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def statuses(outcomes: list[Stamped]) -> list[tuple[str, int, str]]:
    return [(outcome.path.name, outcome.line, outcome.status) for outcome in outcomes]


def test_an_expansion_is_written_below_its_stamp(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", f"select 1;\n{STAMP}\nselect 2;\n")
    [outcome] = stamp_files([path], templates)
    assert (outcome.status, outcome.ok, outcome.template) == ("written", True, "t")
    assert path.read_text() == (
        f"select 1;\n{STAMP}"
        "-- stamped: t sha256:be683343ace10438  (edit the stamp line or the template, "
        "then run pgvouch stamp)\n"
        "create view projects as\n"
        "  select 1 as number;\n"
        "-- end stamp\n"
        "\nselect 2;\n"
    )


def test_a_second_run_touches_nothing(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    before, text = path.stat(), path.read_bytes()
    [outcome] = stamp_files([path], templates)
    assert outcome.status == "fresh"
    assert path.read_bytes() == text
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_each_kind_of_file_gets_its_template(migrations: Path, templates: Templates) -> None:
    paths = [
        write(migrations / "001_a.sql", STAMP),
        write(migrations / "001_a.rollback.sql", STAMP),
        write(migrations / "verify" / "001_a.sql", STAMP),
    ]
    stamp_files(paths, templates)
    assert [path.read_text().split("\n")[2] for path in paths] == [
        "create view projects as",
        "drop view projects;",
        "-- check: projects shows projects",
    ]
    assert [target_of(path) for path in paths] == [Target.MIGRATION, Target.ROLLBACK, Target.VERIFY]


def test_the_checks_of_a_rollback_have_no_template(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "verify" / "001_a.rollback.sql", STAMP)
    with pytest.raises(StampError, match="checks of a rollback"):
        stamp_files([path], templates)


@pytest.mark.parametrize("ending", ["", "\r\n", "\r\nselect 2;\r\n", "\r\nselect 2;"])
def test_crlf_stays_crlf(migrations: Path, templates: Templates, ending: str) -> None:
    path = write(migrations / "001_a.sql", f"select 1;\r\n{STAMP.strip()}{ending}")
    stamp_files([path], templates)
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 4
    assert raw.decode().replace("\r\n", "\n").startswith(f"select 1;\n{STAMP}-- stamped: t")
    assert raw.endswith(ending.removeprefix("\r\n").encode() or b"-- end stamp\r\n")
    assert [o.status for o in stamp_files([path], templates)] == ["fresh"]
    assert path.read_bytes() == raw


def test_a_bom_and_every_other_byte_stay(migrations: Path, templates: Templates) -> None:
    around = "\ufeffselect 'é\u2028\x0c\t ' ;\r\n\n"
    path = write(migrations / "001_a.sql", f"{around}{STAMP}  \nselect 2")
    stamp_files([path], templates)
    text = path.read_bytes().decode()
    assert text.startswith(f"{around}{STAMP}-- stamped:")
    assert text.endswith("-- end stamp\n  \nselect 2")


def test_mode_and_owner_stay_and_no_temporary_file(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    before = path.stat()
    stamp_files([path], templates)
    after = path.stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert {there.name for there in migrations.iterdir()} == {"001_a.sql", "verify"}


def test_a_symbolic_link_stays_one(migrations: Path, templates: Templates, tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere.sql", STAMP)
    link = migrations / "001_a.sql"
    link.symlink_to(target)
    stamp_files([link], templates)
    assert link.is_symlink()
    assert "create view" in target.read_text()


def test_a_write_that_fails_leaves_the_file(
    migrations: Path, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(migrations / "001_a.sql", STAMP)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="cannot be written: No space left on device"):
        stamp_files([path], templates)
    assert path.read_text() == STAMP
    assert {there.name for there in migrations.iterdir()} == {"001_a.sql", "verify"}


def test_check_writes_nothing_and_says_what_is_due(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    [outcome] = stamp_files([path], templates, check=True)
    assert (outcome.status, outcome.ok) == ("stale", False)
    assert outcome.error is not None
    assert outcome.error.message == "t is not stamped yet"
    assert outcome.error.hint == "pgvouch stamp"
    assert path.read_text() == STAMP


def test_a_changed_argument_is_stale_and_written(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    write(path, path.read_text().replace('"projects")', '"projects", number=2)'))
    [outcome] = stamp_files([path], templates, check=True)
    assert outcome.status == "stale"
    assert outcome.error is not None
    assert outcome.error.notes == [
        "line 4: written `select 1 as number;`, now `select 2 as number;`"
    ]
    [outcome] = stamp_files([path], templates)
    assert outcome.status == "written"
    assert "select 2 as number" in path.read_text()


def test_a_changed_template_is_stale_and_written(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    assert [o.status for o in stamp_files([path], changed, check=True)] == ["stale"]
    assert [o.status for o in stamp_files([path], changed)] == ["written"]
    assert "2 as two" in path.read_text()


def test_a_template_that_only_reads_otherwise_makes_nothing_stale(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    changed = change_template(migrations, "create view", "{# a view #}create view")
    assert [o.status for o in stamp_files([path], changed, check=True)] == ["fresh"]


def test_another_template_on_the_stamp_line_is_stale(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    other = migrations.parent.parent / "templates" / "other.sql.j2"
    other.write_text(TEMPLATE.replace("'t(", "'other("))
    write(path, path.read_text().replace("-- stamp: t(", "-- stamp: other("))
    [outcome] = stamp_files([path], templates, check=True)
    assert outcome.status == "stale"
    stamp_files([path], templates)
    assert "-- stamped: other sha256:" in path.read_text()


@pytest.mark.parametrize("check", [True, False])
def test_a_hand_edited_expansion_is_refused(
    migrations: Path, templates: Templates, check: bool
) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    edited = (
        path.read_text()
        .replace("select 1", "select 9")
        .replace("-- end stamp", "-- mine\n-- end stamp")
    )
    write(path, edited)
    [outcome] = stamp_files([path], templates, check=check)
    assert (outcome.status, outcome.ok) == ("edited", False)
    assert outcome.error is not None
    assert str(outcome.error) == f"{path}:1: the expansion of t was edited by hand"
    assert outcome.error.notes == [
        "line 4: found `select 9 as number;`, stamped `select 1 as number;`",
        "line 5: found `-- mine`, stamped nothing",
    ]
    assert "pgvouch stamp --force" in str(outcome.error.hint)
    assert path.read_text() == edited


def test_a_removed_line_is_an_edit_too(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    write(path, path.read_text().replace("  select 1 as number;\n", ""))
    [outcome] = stamp_files([path], templates)
    assert outcome.error is not None
    assert outcome.error.notes == ["line 4: found nothing, stamped `select 1 as number;`"]


def test_force_overwrites_an_edit(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    fresh = path.read_text()
    write(path, fresh.replace("select 1", "select 9"))
    [outcome] = stamp_files([path], templates, check=True, force=True)
    assert "was edited by hand" in str(outcome.error)
    assert [o.status for o in stamp_files([path], templates, force=True)] == ["written"]
    assert path.read_text() == fresh


def test_an_edit_and_a_changed_template_together_say_so(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    write(path, path.read_text().replace("select 1", "select 9"))
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    [outcome] = stamp_files([path], changed)
    assert outcome.status == "edited"
    assert outcome.error is not None
    assert outcome.error.notes[-1].startswith("compared with what the stamp gives now")


def test_an_edit_of_the_marker_alone_loses_nothing(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", STAMP)
    stamp_files([path], templates)
    fresh = path.read_text()
    write(path, fresh.replace("sha256:b", "sha256:0"))
    assert [o.status for o in stamp_files([path], templates, check=True)] == ["stale"]
    stamp_files([path], templates)
    assert path.read_text() == fresh


def test_a_refused_stamp_keeps_its_whole_file_but_not_the_others(
    migrations: Path, templates: Templates
) -> None:
    first = write(migrations / "001_a.sql", STAMP)
    stamp_files([first], templates)
    edited = first.read_text().replace("select 1", "select 9") + '-- stamp: t(table="b")\n'
    write(first, edited)
    second = write(migrations / "002_b.sql", STAMP.replace("projects", "c"))
    outcomes = stamp_files([first, second], templates)
    assert statuses(outcomes) == [
        ("001_a.sql", 1, "edited"),
        ("001_a.sql", 6, "stale"),
        ("002_b.sql", 1, "written"),
    ]
    assert first.read_text() == edited
    assert outcomes[1].error is not None
    assert outcomes[1].error.hint == "first settle the refused stamps of this file"


def test_a_wrong_stamp_anywhere_means_that_nothing_is_written(
    migrations: Path, templates: Templates
) -> None:
    good = write(migrations / "001_a.sql", STAMP)
    bad = write(migrations / "002_b.sql", "-- stamp: t(tabel=1)\n")
    with pytest.raises(StampError, match="did you mean table"):
        stamp_files([good, bad], templates)
    assert good.read_text() == STAMP


def applied_error(outcome: Stamped) -> StampError:
    assert outcome.status == "applied"
    assert outcome.error is not None
    return outcome.error


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_an_applied_migration_is_never_stamped_again(
    migrations: Path, templates: Templates, force: bool, check: bool
) -> None:
    path = write(migrations / "003_a.sql", f"select 1;\n{STAMP}")
    stamp_files([path], templates)
    before = path.read_text()
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    asked: list[Path] = []

    def applied(of: Path) -> bool:
        asked.append(of)
        return True

    [outcome] = stamp_files([path], changed, check=check, force=force, applied=applied)
    error = applied_error(outcome)
    assert error.message == "003_a is applied, so its t is not stamped again"
    assert error.statement == STAMP.strip()
    assert error.notes == [
        "line 5: applied `select 1 as number;`, now `select 1 as number, 2 as two;`"
    ]
    assert "pgvouch new restamp_projects" in str(error.hint)
    assert "003_a.rollback.sql" in str(error.hint)
    assert (asked, path.read_text()) == ([path], before)


def test_a_fresh_applied_migration_needs_no_question(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "003_a.sql", STAMP)
    stamp_files([path], templates)

    def applied(of: Path) -> bool:
        raise AssertionError(of)

    assert [o.status for o in stamp_files([path], templates, applied=applied)] == ["fresh"]


def test_an_edit_of_an_applied_migration_is_not_overwritten(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "003_a.sql", STAMP)
    stamp_files([path], templates)
    write(path, edited := path.read_text().replace("select 1", "select 9"))
    [outcome] = stamp_files([path], templates, force=True, applied=lambda _: True)
    assert outcome.status == "edited"
    assert "the migration is applied" in str(outcome.error)
    assert path.read_text() == edited


def test_a_stamp_that_a_later_migration_repeats_is_history(
    migrations: Path, templates: Templates
) -> None:
    old = write(migrations / "003_a.sql", STAMP)
    stamp_files([old], templates)
    before = old.read_text()
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    new = write(
        migrations / "010_restamp.sql", "-- stamp: t(\n--   number=1,\n--   table='projects')\n"
    )
    outcomes = stamp_files([old, new], changed)
    assert statuses(outcomes) == [("003_a.sql", 1, "stale"), ("010_restamp.sql", 1, "written")]
    assert [(o.ok, o.superseded_by) for o in outcomes] == [(True, new), (True, None)]
    assert old.read_text() == before
    assert all(o.ok for o in stamp_files([new, old], changed, check=True))


@pytest.mark.parametrize(
    "other",
    ["002_earlier.sql", "010_later.rollback.sql", "verify/010_later.sql", "../b/010_later.sql"],
)
def test_only_a_later_migration_of_the_same_kind_makes_history(
    migrations: Path, templates: Templates, other: str
) -> None:
    (migrations.parent / "b").mkdir()
    old = write(migrations / "003_a.sql", STAMP)
    stamp_files([old], templates)
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    twin = write(migrations / other, STAMP)
    assert stamp_files([old, twin], changed, check=True)[0].ok is False


def test_a_stamp_with_other_arguments_makes_no_history(
    migrations: Path, templates: Templates
) -> None:
    old = write(migrations / "003_a.sql", STAMP)
    stamp_files([old], templates)
    changed = change_template(migrations, "as number;", "as number, 2 as two;")
    new = write(migrations / "010_b.sql", STAMP.replace("projects", "others"))
    assert stamp_files([old, new], changed, check=True)[0].ok is False


def test_a_check_may_be_retired_by_hand(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "verify" / "003_a.sql", STAMP)
    stamp_files([path], templates)
    until = "-- check: it shows a number\n-- until: 010_b\n"
    write(path, retired := path.read_text().replace("-- check: it shows a number\n", until))
    assert [o.status for o in stamp_files([path], templates)] == ["fresh"]
    assert path.read_text() == retired


def test_a_retired_check_stays_retired_when_it_is_stamped_again(
    migrations: Path, templates: Templates
) -> None:
    path = write(migrations / "verify" / "003_a.sql", STAMP)
    stamp_files([path], templates)
    until = "-- check: it shows a number\n-- until: 010_b\n"
    write(path, path.read_text().replace("-- check: it shows a number\n", until))
    changed = change_template(migrations, "> 0", ">= 0", "t.verify.sql.j2")
    assert [o.status for o in stamp_files([path], changed)] == ["written"]
    assert until + "select 1 >= 0;" in path.read_text()
    gone = change_template(migrations, "it shows a number", "a number", "t.verify.sql.j2")
    [outcome] = stamp_files([path], gone)
    assert outcome.status == "edited"
    assert "belongs to a check that the template no longer has" in str(outcome.error)
    assert [o.status for o in stamp_files([path], gone, force=True)] == ["written"]
    assert "until" not in path.read_text()


def test_files_without_stamps_give_nothing(migrations: Path, templates: Templates) -> None:
    path = write(migrations / "001_a.sql", "select 'open")
    other = write(migrations / "002_b.sql", "-- a stamp is not here\nselect 1;\n")
    assert stamp_files([path, other], templates) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [(b"-- stamp: t()\n\xff", "byte 14 (0xff) is not UTF-8"), (b"-- stamp\0", "NUL")],
)
def test_a_file_that_is_no_text(
    migrations: Path, templates: Templates, raw: bytes, message: str
) -> None:
    path = migrations / "001_a.sql"
    path.write_bytes(raw)
    with pytest.raises(FileError) as caught:
        stamp_files([path], templates)
    assert message in caught.value.message


def test_a_file_that_is_not_there(migrations: Path, templates: Templates) -> None:
    with pytest.raises(FileError, match="cannot be read: No such file"):
        stamp_files([migrations / "001_a.sql"], templates)

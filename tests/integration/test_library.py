"""The library: what docs/library.md says of it, and what an application may rely on."""

import ast
import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from inspect import isfunction, ismodule
from pathlib import Path

import psycopg
import pytest

import pgvouch
from conftest import ROOT, Folder, Server, query
from faults.processes import ASLEEP
from pgvouch import (
    CheckError,
    ConnectError,
    DataLossError,
    DriftError,
    Event,
    FileError,
    Finished,
    MigrationError,
    Note,
    Notice,
    PlanError,
    Running,
    Scheduled,
    UsageError,
    Vouch,
    VouchError,
)

DOCUMENT = (ROOT / "docs" / "library.md").read_text()
FILES = dict(re.findall(r"`([\w.]+)`:\n```python\n(.*?)```", DOCUMENT, re.DOTALL))
NOTES = {
    "001_create_notes.sql": "create table public.notes (\n"
    "  id bigint generated always as identity primary key,\n"
    "  body text not null check (btrim(body) <> '')\n);\n",
    "001_create_notes.rollback.sql": "drop table public.notes;\n",
    "verify/001_create_notes.sql": "-- check: it is there\n"
    "select to_regclass('public.notes') is not null;\n",
    "002_index.sql": "create index notes_body on public.notes (body);\n",
    "002_index.rollback.sql": "drop index public.notes_body;\n",
}


@pytest.fixture
def notes(folder: Folder) -> Folder:
    folder.write(NOTES)
    return folder


def _vouch(folder: Folder, **given: object) -> Vouch:
    return Vouch(folder.url, migrations=folder.path, **given)  # type: ignore[arg-type]


def test_the_way_forward_and_back(notes: Folder) -> None:
    events: list[Event] = []
    with _vouch(notes, on_event=events.append) as vouch:
        assert [item.state for item in vouch.status()] == ["pending", "pending"]
        plan = vouch.plan()
        assert [(p.id, p.has_checks, p.has_rollback) for p in plan.pending] == [
            ("001_create_notes", True, True),
            ("002_index", False, True),
        ]
        first = vouch.migrate(to="1")
        assert [(e.id, e.outcome, e.checks) for e in first.finished] == [
            ("001_create_notes", "applied", 1)
        ]
        assert [e for e in events if isinstance(e, Finished)] == list(first.finished)
        assert vouch.migrate().applied == 2
        assert vouch.migrate().finished == ()
        assert [(v.id, v.passed, v.broken) for v in vouch.verify()] == [("001_create_notes", 1, ())]
        assert [item.state for item in vouch.status()] == ["applied", "applied"]
        (step,) = vouch.preview_rollback()
        assert (step.id, "drop index" in step.sql) == ("002_index", True)
        assert vouch.rollback().applied == 1
        assert vouch.rollback(steps=None).applied == 0
    assert notes.query("select to_regclass('public.notes')") == [(None,)]


def test_values_are_frozen(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        values = [vouch.plan(), vouch.plan().pending[0], vouch.migrate(), *vouch.verify()]
        values += [*vouch.status(), *vouch.preview_rollback()]
    for value in values:
        field = dataclasses.fields(value)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, None)


def test_a_rehearsal_keeps_nothing(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        assert [e.outcome for e in vouch.rehearse().finished] == [
            *["applied", "applied"],
            *["rolled back", "rolled back"],
        ]
        assert [item.state for item in vouch.status()] == ["pending", "pending"]


def test_errors_have_what_the_program_prints(notes: Folder) -> None:
    notes.write({"002_index.sql": "create index notes_body on public.notes (nothing);\n"})
    with _vouch(notes) as vouch:
        with pytest.raises(MigrationError) as caught:
            vouch.migrate()
        error = caught.value
        assert error.place is not None
        assert (error.place.path.name, error.place.line) == ("002_index.sql", 1)
        assert error.server is not None
        assert error.server.sqlstate == "42703"
        assert error.state == (
            "Nothing of 002_index is in the database. Landed before it: 001_create_notes."
        )
        assert (error.exit_code, bool(error.hint)) == (1, True)
        # The object is as good as before.
        notes.write({"002_index.sql": NOTES["002_index.sql"]})
    with _vouch(notes) as vouch:
        assert vouch.migrate().applied == 2


def test_each_mistake_has_its_class(notes: Folder, tmp_path: Path) -> None:
    with _vouch(notes) as vouch:
        vouch.migrate()
        with psycopg.connect(notes.url) as connection:
            connection.execute("insert into notes (body) values ('milk')")
        with pytest.raises(PlanError):
            vouch.migrate(to="nothing")
        with pytest.raises(DataLossError):
            vouch.rollback(steps=None)
        with pytest.raises(PlanError):
            vouch.repair("001_create_notes", "done")
        with pytest.raises(UsageError):
            vouch.repair("001_create_notes", "maybe")  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            vouch.accept("001_create_notes", " ")
        with pytest.raises(UsageError):
            vouch.new("no/name")
    notes.write({"001_create_notes.sql": NOTES["001_create_notes.sql"] + "-- changed\n"})
    with _vouch(notes) as vouch:
        with pytest.raises(DriftError):
            vouch.migrate()
        assert vouch.accept("001_create_notes", "a comment").id == "001_create_notes"
        assert vouch.migrate().applied == 2
    notes.write(
        {"003_broken.sql": "select 1;", "verify/003_broken.sql": "-- check: no\nselect false;"}
    )
    with _vouch(notes) as vouch, pytest.raises(CheckError):
        vouch.migrate()
    notes.write({"003_broken.sql": "commit;"})
    with _vouch(notes) as vouch, pytest.raises(FileError):
        vouch.migrate()
    with pytest.raises(ConnectError):
        Vouch("postgresql://127.0.0.1:1/x", migrations=notes.path).migrate()
    with pytest.raises(UsageError):
        Vouch(notes.url, project=tmp_path / "none.toml").status()
    with pytest.raises(UsageError):
        Vouch(migrations=notes.path, environment={}).status()


def test_a_statement_of_ours_that_is_refused_is_a_vouch_error(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        vouch.migrate()
        notes.query("alter table pgvouch.acceptance rename column why to reason")
        notes.write({"002_index.sql": NOTES["002_index.sql"] + "-- changed\n"})
    with _vouch(notes) as vouch, pytest.raises(VouchError, match="a statement of pgvouch's own"):
        vouch.accept("2", "a comment")


def test_a_connection_that_is_lost_between_calls_is_made_anew(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        vouch.migrate(to="1")
        assert vouch.status()
        notes.query(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert vouch.migrate().applied == 2


def test_one_connection_is_enough_and_it_ends(notes: Folder) -> None:
    count = (
        "select count(*) from pg_stat_activity where datname = current_database() "
        "and application_name like 'pgvouch%'"
    )
    with _vouch(notes) as vouch:
        vouch.migrate()
        vouch.verify()
        vouch.status()
        assert notes.query(count) == [(1,)]
    assert notes.query(count) == [(0,)]
    vouch.status()
    assert notes.query(count) == [(0,)]


def test_a_missing_database_has_applied_nothing(notes: Folder) -> None:
    url = notes.url.replace("t_", "absent_t_")
    looking = Vouch(url, migrations=notes.path, create_database=True)
    assert [m.state for m in looking.status()] == ["pending", "pending"]
    assert len(looking.plan().pending) == 2
    with pytest.raises(ConnectError, match="does not exist"):
        Vouch(url, migrations=notes.path).migrate()


def test_notices_are_told_of_migrations_alone(notes: Folder) -> None:
    notes.write(
        {
            "003_loud.sql": "do $$ begin raise warning 'from the migration'; end $$;",
            "verify/003_loud.sql": "-- check: loud\ndo $$ begin raise warning 'x'; end $$;\nselect true;",
        }
    )
    heard: list[str] = []
    with _vouch(
        notes, on_event=lambda e: heard.append(e.text) if isinstance(e, Notice) else None
    ) as vouch:
        vouch.migrate()
        assert "from the migration" in heard
        heard.clear()
        vouch.verify()
    assert heard == []


def test_a_project_with_several_databases(pg18: Server, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "migrations" / name).mkdir(parents=True)
        (tmp_path / "migrations" / name / "001_a.sql").write_text("select 1;")
    (tmp_path / "pgvouch.toml").write_text('migrations = "migrations"\n')
    with pytest.raises(UsageError, match="which database"):
        Vouch("embedded:", project=tmp_path / "pgvouch.toml").status()
    each = Vouch.each(url="embedded:", project=tmp_path / "pgvouch.toml")
    assert [vouch.name for vouch in each] == ["one", "two"]
    (two,) = Vouch.each(["two"], url="embedded:", project=tmp_path / "pgvouch.toml")
    assert two.name == "two"
    one = Vouch(project=tmp_path / "pgvouch.toml", database="one")
    assert [path.name for path in one.new("a name")] == [
        *["002_a_name.sql", "002_a_name.rollback.sql", "002_a_name.sql"]
    ]


def test_what_cannot_be_is_a_vouch_error(notes: Folder) -> None:
    with pytest.raises(UsageError, match="there is no setting lock_timeot"):
        _vouch(notes, lock_timeot="2s").plan()
    with pytest.raises(UsageError, match="without a unit"):
        _vouch(notes, lock_timeout="5").plan()
    assert _vouch(notes, lock_timeout=None).plan().pending
    with _vouch(notes) as vouch:
        vouch.migrate()
        for steps in (0, -1):
            with pytest.raises(PlanError, match="cannot be rolled back"):
                vouch.rollback(steps=steps)
        with pytest.raises(PlanError, match="there is no migration ²"):
            vouch.migrate(to="²")
        assert len(vouch.status()) == 2


def test_after_close_the_next_call_opens_another_connection(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        vouch.status()
        vouch.close()
        vouch.migrate()
        count = "select count(*) from pg_stat_activity where application_name = 'pgvouch migrate'"
        assert notes.query(f"{count} and datname = current_database()") == [(1,)]


def test_after_a_run_nothing_listens_any_more(notes: Folder) -> None:
    heard: list[Event] = []
    with _vouch(notes, on_event=heard.append) as vouch:
        vouch.migrate()
        assert vouch._session is not None
        vouch._session.waiting_interval_s = 0.0
        heard.clear()
        vouch.status()
        assert heard == []


def test_it_tells_what_runs(notes: Folder) -> None:
    notes.query("create table t (a int)")
    text = "-- transactional: false\nselect 1;\ncreate index concurrently i on t (a);\nselect 3;"
    notes.write({"003_index.sql": text})
    heard: list[Event] = []
    with psycopg.connect(notes.url) as other:
        other.execute("insert into t values (1)")

        def hear(event: Event) -> None:
            heard.append(event)
            if isinstance(event, Running) and event.doing:
                other.commit()

        with _vouch(notes, on_event=hear) as vouch:
            vouch.migrate()
    assert heard[0] == Scheduled(("001_create_notes", "002_index", "003_index"))
    running = [event for event in heard if isinstance(event, Running)]
    first, told = running[0], next(event for event in running if event.doing)
    assert first == Running("003_index", first.elapsed_s, 2, 3)
    assert 0.5 <= first.elapsed_s < 1.0 <= told.elapsed_s
    doing = "CREATE INDEX CONCURRENTLY on public.t: waiting for writers before build"
    assert told == Running("003_index", told.elapsed_s, 2, 3, doing, 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.percent = 1.0  # type: ignore[misc]


def test_it_is_told_too_where_notices_come_close_behind_each_other(folder: Folder) -> None:
    loop = "for i in 1..200 loop raise notice '%', i; perform pg_sleep(0.01); end loop;"
    folder.write({"001_a.sql": f"do $$begin {loop} end$$;"})
    heard: list[Event] = []
    with _vouch(folder, on_event=heard.append) as vouch:
        vouch.migrate()
    running = [event for event in heard if isinstance(event, Running)]
    assert len(running) > 3
    assert running[0].elapsed_s < 1.5


def test_of_a_table_that_the_migration_made_the_name_is_not_told(folder: Folder) -> None:
    text = "create table t (a int); insert into t values (1);"
    waits = "create function f(int) returns int immutable language sql as 'select 1 from pg_sleep(600)';"
    folder.write({"001_t.sql": f"{waits} {text} create index on t (f(a));"})
    heard: list[Event] = []

    def hear(event: Event) -> None:
        heard.append(event)
        if isinstance(event, Running) and (event.doing or event.elapsed_s > 10):
            folder.query(f"select pg_cancel_backend(pid) {ASLEEP}")

    with _vouch(folder, on_event=hear) as vouch, pytest.raises(MigrationError):
        vouch.migrate()
    told = heard[-1]
    assert isinstance(told, Running)
    assert (told.statement, told.doing) == (None, "CREATE INDEX: building index: scanning table")


def test_what_looks_holds_no_snapshot_and_comes_late(notes: Folder) -> None:
    notes.write({"003_nap.sql": "-- lock_timeout: 5s\nselect pg_sleep(600);"})
    watching = (
        "select state, xact_start is null, backend_xmin is null from pg_stat_activity "
        "where application_name = 'pgvouch watch' and datname = current_database()"
    )
    seen: list[tuple[float, list[tuple[object, ...]]]] = []

    def hear(event: Event) -> None:
        if isinstance(event, Running):
            seen.append((event.elapsed_s, notes.query(watching)))
            if event.elapsed_s > 1.5:
                notes.query(f"select pg_cancel_backend(pid) {ASLEEP}")

    with _vouch(notes, on_event=hear) as vouch, pytest.raises(MigrationError):
        vouch.migrate()
    assert seen[0][1] == []
    assert all(rows == [] for at, rows in seen if at < 1.0)
    assert seen[-1][1] == [("idle", True, True)]


def test_a_note_that_holds_for_all_is_told_once(notes: Folder) -> None:
    heard: list[str] = []
    with _vouch(
        notes,
        lock_timeout="5s",
        on_event=lambda e: heard.append(e.text) if isinstance(e, Note) else None,
    ) as vouch:
        assert len(vouch.migrate().finished) == 2
    assert len([text for text in heard if "waits for a lock for 5s" in text]) == 1


STEPS = """\
from yoyo import step

steps = [
    step("select 'from yoyo'"),
    step(lambda connection: print("from the step"), lambda connection: None),
]
"""


def test_steps_in_python_print_nothing_of_their_own(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "001_steps.py").write_text(STEPS)
    stdout = sys.stdout
    with Vouch(url, migrations=tmp_path) as vouch:
        vouch.migrate()
        assert sys.stdout is stdout
        assert capfd.readouterr().out == "from the step\n"
        vouch.rollback()
    capfd.readouterr()
    done = subprocess.run(
        [sys.executable, "-m", "pgvouch", "migrate", "--json", "--migrations", tmp_path],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "from the step" in done.stderr
    assert "from" not in done.stdout


def test_settings_win_over_the_configuration(notes: Folder) -> None:
    toml = notes.root / "pgvouch.toml"
    toml.write_text(f'migrations = "{notes.path}"\nlock_timeout = "3s"\n')
    (planned, _) = Vouch(notes.url, project=toml).plan().pending
    assert planned.lock_timeout == "3s"
    (planned, _) = Vouch(notes.url, project=toml, lock_timeout="2s").plan().pending
    assert planned.lock_timeout == "2s"


def test_threads_at_once(pg18: Server, notes: Folder) -> None:
    names = [f"library_{number}_{os.getpid()}" for number in range(4)]
    barrier = threading.Barrier(len(names))

    def work(name: str) -> list[int]:
        done = []
        with Vouch(pg18.url(name), migrations=notes.path, create_database=True) as vouch:
            for _ in range(3):
                barrier.wait(timeout=60)
                done.append(vouch.migrate().applied)
                assert all(not item.broken for item in vouch.verify())
                barrier.wait(timeout=60)
                done.append(vouch.rollback(steps=None).applied)
        return done

    try:
        with ThreadPoolExecutor(len(names)) as pool:
            assert list(pool.map(work, names)) == [[2, 0] * 3] * len(names)
    finally:
        for name in names:
            query(pg18.url("postgres"), f"drop database if exists {name} with (force)")


def test_threads_on_one_database_take_turns(notes: Folder) -> None:
    def work(_number: int) -> int:
        with _vouch(notes) as vouch:
            return len(vouch.migrate().finished)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    assert sum(counts) == 2
    assert _vouch(notes).migrate().applied == 2


def test_the_process_stays_as_it_is(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in NOTES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    before = (dict(os.environ), [signal.getsignal(n) for n in range(1, signal.NSIG)], Path.cwd())
    with Vouch(url, migrations=tmp_path) as vouch:
        vouch.migrate()
        vouch.rollback()
        vouch.verify()
        vouch.status()
        with pytest.raises(PlanError):
            vouch.migrate(to="nothing")
    after = (dict(os.environ), [signal.getsignal(n) for n in range(1, signal.NSIG)], Path.cwd())
    assert after == before
    assert capfd.readouterr() == ("", "")


def test_everything_public_is_there_and_documented() -> None:
    for name in pgvouch.__all__:
        value = getattr(pgvouch, name)
        assert name in {"__version__", "Event", "Listener"} or value.__doc__, name
    with pytest.raises(AttributeError):
        pgvouch.nothing  # noqa: B018
    for name, method in vars(Vouch).items():
        if not name.startswith("_") and callable(method):
            assert f"{name}(" in DOCUMENT or name == "close", name


def test_importing_it_imports_little() -> None:
    program = "import sys, pgvouch; print(*[m for m in sys.modules if m.startswith('pgvouch')])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["pgvouch"]


def test_an_application_that_migrates_as_it_starts(notes: Folder) -> None:
    (notes.root / "app.py").write_text(FILES["app.py"])

    def start() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "app.py", notes.url],
            cwd=notes.root,
            capture_output=True,
            text=True,
            check=False,
        )

    assert start().stdout == "ready after 2 migrations\n"
    assert start().stdout == "ready after 0 migrations\n"
    notes.write({"003_broken.sql": "select 1 / 0;"})
    done = start()
    assert (done.returncode, "division by zero" in done.stderr) == (1, True)
    assert "Nothing of 003_broken is in the database." in done.stderr


def test_a_type_checker_knows_it(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    first = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert first is not None
    (tmp_path / "first.py").write_text(first[1])
    (tmp_path / "wrong.py").write_text(
        "from pgvouch import Vouch\nVouch(lock_timeout=3).migrate(too='7').applied = 3\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {line.partition(":")[0] for line in errors} == {"wrong.py"}, done.stdout
    assert len(errors) == 3


def test_the_program_is_built_on_the_library_alone() -> None:
    """A command parses, calls and renders: of the other rooms it knows values and constants."""
    own = {"address", "api", "cli", "config", "embedded", "errors", "events", "sqltext"}
    for path in (ROOT / "runner" / "pgvouch" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("pgvouch."):
                continue
            room = str(node.module).split(".")[1]
            for alias in [] if room in own else node.names:
                value = getattr(import_module(str(node.module)), alias.name)
                is_wording = node.module == "pgvouch.verify.wording"
                assert is_wording or not (isfunction(value) or ismodule(value)), (
                    f"{path.name} imports {alias.name} from {node.module}"
                )


def test_a_note_is_an_event(notes: Folder) -> None:
    with _vouch(notes) as vouch:
        vouch.migrate()
    (notes.path / "002_index.sql").unlink()
    (notes.path / "002_index.rollback.sql").unlink()
    heard: list[Event] = []
    with _vouch(notes, on_event=heard.append) as vouch:
        assert vouch.migrate().ahead == ("002_index",)
    assert [type(event) for event in heard] == [Note]

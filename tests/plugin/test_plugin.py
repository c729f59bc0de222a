"""The pytest plugin: docs/testing.md as it stands, and what it promises of the worst days."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from conftest import Server, query
from pgvouch import FileError, MigrationError, UsageError
from pgvouch.testing import plugin
from pgvouch.testing.databases import Databases
from pgvouch.testing.fingerprint import short
from pgvouch.testing.settings import DatabaseSettings
from plugin.conftest import NOTES, PAGE, ROLE, SHOWN, Suite, templates

SIMPLE = {"001_a.sql": "create table public.a (n int);\n"}
TEMPORARY = "select datname from pg_database where datname ~ '^pgvouch_(test|build)_'"


@pytest.fixture
def databases(
    pg18: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Databases, DatabaseSettings]]:
    """Makes what the fixtures of the plugin are made of, over a folder of migrations."""

    def make(files: dict[str, str], **given: object) -> tuple[Databases, DatabaseSettings]:
        root = tmp_path_factory.mktemp("project")
        for name, text in files.items():
            (root / "migrations" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "migrations" / name).write_text(text)
        settings = DatabaseSettings(migrations="migrations", **given)  # type: ignore[arg-type]
        return Databases(root, pg18.url("postgres")), settings

    return make


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_page_is_true(suite: Suite, workers: str, pg18: Server) -> None:
    suite.write(SHOWN)
    host = pg18.running.socket_folder
    (suite.root / "pytest.ini").write_text(
        f"[pytest]\naddopts = -p no:cacheprovider\npostgresql_host = {host}\n"
        f"postgresql_port = {pg18.running.port}\n"
    )
    ran = suite("-n", workers, "-W", "error")
    ran.assert_outcomes(passed=13)
    assert len(templates(pg18.url("postgres"), suite)) == 3


def test_each_test_has_a_database_of_its_own_and_it_is_gone_then(
    suite: Suite, pg18: Server
) -> None:
    suite.write(
        {
            "test_a.py": f"""
import pytest

@pytest.mark.parametrize("n", range(6))
def test_it_is_empty(pgvouch_database, n):
    connection = pgvouch_database.connect()  # is left open
    assert connection.execute("select count(*) from notes").fetchone() == (0,)
    connection.execute("insert into notes (owner, body) values ('x', 'y')")
    with open({str(suite.root / "names")!r}, "a") as names:
        names.write(pgvouch_database.name + "\\n")
"""
        }
    )
    suite("-n", "2", "-W", "error").assert_outcomes(passed=6)
    names = (suite.root / "names").read_text().split()
    assert len(set(names)) == 6
    there = {name for (name,) in query(pg18.url("postgres"), "select datname from pg_database")}
    assert not there & set(names)
    assert len(templates(pg18.url("postgres"), suite)) == 1


def test_the_next_run_makes_no_migration_and_another_text_does(suite: Suite, pg18: Server) -> None:
    url = pg18.url("postgres")
    settings = DatabaseSettings(migrations="migrations")

    def run() -> list[str]:
        with Databases(suite.root, url) as databases, databases.clone(settings):
            return templates(url, suite)

    (first,) = run()
    number = f"select oid from pg_database where datname = '{first}'"
    before = query(url, number)
    assert run() == [first]
    assert query(url, number) == before
    seen = {first}
    for text in ("-- one\n", "-- two\n", "-- three\n"):
        path = "migrations/002_add_title.rollback.sql"
        suite.write({path: text + NOTES["002_add_title.rollback.sql"]})
        seen |= set(run())
    assert len(seen) == 4
    assert len(run()) == 3
    assert first not in run()


MISTAKES = {
    "broken": ("*003_broken.sql:1:8: *", "*    select nothing*"),
    "actors": ("*actors.toml:1: actors.toml is not TOML*",),
    "nowhere": ("*there is no folder nowhere/*",),
    "several": ("*which database? The project has several*",),
    "other": ("*there is no database other*",),
    "seed": ("*there is no such seed*",),
    "server": ("*127.0.0.1*refused*",),
}
SETTINGS = {
    "other": "database='other'",
    "several": "config='pgvouch.toml'",
    "seed": "migrations='migrations', seed='none.sql'",
    "server": "migrations='migrations', url='postgresql://127.0.0.1:1/x'",
}


def test_mistakes_are_told_of_as_the_program_does(suite: Suite) -> None:
    of_all = {f"broken/{name}": text for name, text in NOTES.items()}
    suite.write(of_all | {"broken/003_broken.sql": "select nothing;\n"})
    suite.write({f"actors/{name}": text for name, text in NOTES.items()})
    suite.write({"actors/actors.toml": "[ann\n"})
    for name in ("one", "two"):
        suite.write({f"several/{name}/001_{name}.sql": f"create table {name} ();\n"})
    suite.write({"pgvouch.toml": "migrations = 'several'\n"})
    for name in MISTAKES:
        given = SETTINGS.get(name, f"migrations={name!r}")
        suite.write(
            {
                f"test_{name}.py": "import pytest\nfrom pgvouch.testing import DatabaseSettings\n"
                f"@pytest.fixture\ndef pgvouch_settings(): return DatabaseSettings({given})\n"
                "def test_a(pgvouch_database): pass\ndef test_b(pgvouch_database): pass\n"
            }
        )
    ran = suite()
    ran.assert_outcomes(errors=2 * len(MISTAKES))
    for name, lines in MISTAKES.items():
        ran.stdout.fnmatch_lines([f"*test_{name}.py*", *lines] if name == "broken" else [*lines])
    assert "Traceback" not in ran.stdout.str()
    assert "databases.py" not in ran.stdout.str()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://127.0.0.1:1/x", "*the address is from *; where none is given, tests have*"),
        ("postgresql://me:p@ss@127.0.0.1:1/x", "*the URL in * cannot be read*"),
        ("mysql://127.0.0.1:1/x", "the URL in * is not a PostgreSQL URL"),
    ],
)
@pytest.mark.parametrize("source", ["--pgvouch-url", "PGVOUCH_TEST_URL", "pgvouch_url"])
def test_a_wrong_address_names_where_it_is_from(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, url: str, said: str, source: str
) -> None:
    suite.write({f"migrations/{name}": text for name, text in NOTES.items()})
    suite.write({"test_it.py": "def test_it(pgvouch_database): pass\n"})
    arguments = []
    monkeypatch.delenv("PGVOUCH_TEST_URL", raising=False)
    if source == "PGVOUCH_TEST_URL":
        monkeypatch.setenv(source, url)
    else:
        arguments = [source, url] if source.startswith("-") else ["-o", f"{source}={url}"]
    ran = suite(*arguments)
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(
        [said.replace("from *", f"from {source}").replace("in *", f"in {source}")]
    )
    ran.stdout.no_fnmatch_line("*--wait*")
    ran.stdout.no_fnmatch_line("*p@ss*")


def test_the_address_of_another_program_is_understood(
    suite: Suite, pg18: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write({f"migrations/{name}": text for name, text in NOTES.items()})
    suite.write({"test_it.py": "def test_it(pgvouch_database): assert pgvouch_database.url\n"})
    url = pg18.url("postgres").replace("postgresql://", "postgresql+psycopg://")
    assert url.startswith("postgresql+psycopg://")
    monkeypatch.setenv("PGVOUCH_TEST_URL", url)
    suite().assert_outcomes(passed=1)


def test_who_cannot_act(databases: Callable[..., tuple[Databases, DatabaseSettings]]) -> None:
    ours, settings = databases(NOTES)
    with ours, ours.clone(settings) as database:
        with pytest.raises(FileError, match="there is no actor carl"):
            database.acting_as("carl")
        with pytest.raises(UsageError, match="would prove nothing") as caught:
            database.acting_as("root")
    assert caught.value.notes == ["the role postgres is a superuser"]
    assert caught.value.place is not None
    assert caught.value.place.line == 11


def test_an_actor_acts_in_every_transaction(
    databases: Callable[..., tuple[Databases, DatabaseSettings]],
) -> None:
    ours, settings = databases(NOTES)
    with ours, ours.clone(settings) as database:
        ann, clerk = database.acting_as("ann"), database.acting_as("clerk")
        clerk.execute("insert into notes (owner, body) values ('bob', 'milk')")
        assert clerk.execute("select owner from notes").fetchall() == [("bob",)]
        for _ in range(2):
            with ann.transaction(force_rollback=True):
                ann.execute("insert into notes (owner, body) values ('ann', 'milk')")
                assert ann.execute("select owner from notes").fetchall() == [("ann",)]
        who = "select current_user::text, current_setting('app.caller')"
        assert ann.execute(who).fetchone() == (ROLE, "ann")


def test_the_server_is_named_in_three_ways_and_DATABASE_URL_is_none(  # noqa: N802
    suite: Suite, monkeypatch: pytest.MonkeyPatch, pg18: Server
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/production")
    suite.write({"test_a.py": "def test_a(pgvouch_database): pass\n"})
    suite().assert_outcomes(passed=1)
    suite("--pgvouch-url=postgresql://127.0.0.1:1/x").assert_outcomes(errors=1)
    monkeypatch.delenv("PGVOUCH_TEST_URL")
    suite.write({"pytest.ini": f"[pytest]\npgvouch_url = {pg18.url('nothing')}\n"})
    suite().assert_outcomes(passed=1)


def test_a_project_with_several_databases(
    databases: Callable[..., tuple[Databases, DatabaseSettings]],
) -> None:
    ours, settings = databases(
        {"one/001_a.sql": "create table one ();", "two/001_a.sql": "create table two ();"}
    )
    with ours:
        for name in ("one", "two"):
            with ours.clone(replace(settings, database=name)) as database:
                assert database.vouch.name == name
                with database.connect() as connection:
                    assert connection.execute(f"select count(*) from {name}").fetchone() == (0,)


def test_the_ready_made_tests_find_what_does_not_hold(suite: Suite) -> None:
    suite.write(
        {
            "migrations/002_add_title.sql": "alter table public.notes add if not exists title text;\n",
            "migrations/002_add_title.rollback.sql": "select 1;\n",
            "migrations/003_index.sql": "-- transactional: false\n"
            "create index concurrently notes_title on public.notes (title);\n",
            "migrations/003_index.rollback.sql": "drop index public.notes_title;\n",
            "migrations/verify/002_add_title.sql": "-- check: there is no note\n"
            "select count(*) = 0 from public.notes;\n",
            "conftest.py": "import pytest\nfrom pgvouch.testing import DatabaseSettings\n"
            "@pytest.fixture\ndef pgvouch_settings():\n"
            "    return DatabaseSettings(migrations='migrations', seed='notes.sql')\n",
            "test_a.py": "from pgvouch.testing.ready_made import *\n",
        }
    )
    ran = suite()
    ran.assert_outcomes(failed=2)
    ran.stdout.fnmatch_lines(
        ["*CheckError*002_add_title*title*", "*002_add_title: there is no note*"]
    )


def test_a_run_that_is_killed_leaves_nothing_that_stays(suite: Suite, pg18: Server) -> None:
    suite.write(
        {
            "test_a.py": f"""
import os, signal

def test_a(pgvouch_database):
    open({str(suite.root / "names")!r}, "a").write(pgvouch_database.name + "\\n")
    os.kill(os.getpid(), signal.SIGKILL)
"""
        }
    )
    assert suite().ret == -9
    name = (suite.root / "names").read_text().strip()
    assert (name,) in query(pg18.url("postgres"), TEMPORARY)
    suite.write({"test_a.py": "def test_a(pgvouch_database): pass\n"})
    suite().assert_outcomes(passed=1)
    assert (name,) not in query(pg18.url("postgres"), TEMPORARY)


def test_a_run_that_is_killed_while_it_makes_the_template(suite: Suite, pg18: Server) -> None:
    step = "from yoyo import step\nimport os, signal\n\n\ndef die(connection):\n"
    step += "    os.kill(os.getpid(), signal.SIGKILL)\n\n\nsteps = [step(die)]\n"
    suite.write(
        {"migrations/003_die.py": step, "test_a.py": "def test_a(pgvouch_database): pass\n"}
    )
    url = pg18.url("postgres")
    before = set(query(url, TEMPORARY))
    assert suite().ret == -9
    left = {name for name in set(query(url, TEMPORARY)) - before if "build" in str(name)}
    assert left
    assert templates(url, suite) == []
    (suite.root / "migrations" / "003_die.py").unlink()
    suite().assert_outcomes(passed=1)
    assert not left & set(query(url, TEMPORARY))


def test_what_a_living_run_has_is_left_to_it(
    databases: Callable[..., tuple[Databases, DatabaseSettings]],
) -> None:
    first, settings = databases(SIMPLE)
    second, others = databases(SIMPLE)
    with first, second, first.clone(settings) as one, second.clone(others) as two:
        with one.connect() as connection:
            assert connection.execute("select count(*) from a").fetchone() == (0,)
        assert one.name != two.name


def test_a_template_that_another_run_has_dropped_is_made_again(
    databases: Callable[..., tuple[Databases, DatabaseSettings]], pg18: Server
) -> None:
    ours, settings = databases(SIMPLE)
    with ours:
        with ours.clone(settings):
            pass
        (template,) = ours._ready
        query(pg18.url("postgres"), f"drop database {template}")
        with ours.clone(settings) as database, database.connect() as connection:
            assert connection.execute("select count(*) from a").fetchone() == (0,)


def test_a_database_of_another_role_is_no_template_of_ours(
    databases: Callable[..., tuple[Databases, DatabaseSettings]], pg18: Server
) -> None:
    """Whoever may create databases can give one the name; its functions would run as our role."""
    url, role = pg18.url("postgres"), "templates_of_another"
    first, settings = databases(SIMPLE)
    with first, first.clone(settings):
        pass
    folder = str((first._root / "migrations").resolve())
    start = f"pgvouch_template_{short(folder, 'postgres', 'False')}_"
    ((name,),) = query(
        url, f"select datname from pg_database where starts_with(datname, '{start}')"
    )
    query(url, f"drop database {name}")
    query(url, f"create role {role}")
    query(url, f"create database {name} owner {role}")
    try:
        again = Databases(first._root, url)
        with (
            pytest.raises(MigrationError, match=f'"{name}" already exists'),
            again,
            again.clone(settings),
        ):
            pytest.fail("it was taken for ours")
    finally:
        query(url, f"drop database {name}")
        query(url, f"drop role {role}")


def test_the_connection_to_the_server_may_be_lost(
    databases: Callable[..., tuple[Databases, DatabaseSettings]], pg18: Server
) -> None:
    ours, settings = databases(SIMPLE)
    with ours, ours.clone(settings) as kept:
        (server,) = ours._servers.values()
        pid = server._session.connection.info.backend_pid
        query(pg18.url("postgres"), f"select pg_terminate_backend({pid}, 5000)")
        with ours.clone(settings):
            # Its databases are still its own for others.
            others, their_settings = databases(SIMPLE)
            with others, others.clone(their_settings):
                assert (kept.name,) in query(pg18.url("postgres"), TEMPORARY)


def test_a_copy_has_the_settings_and_privileges_of_the_database(
    databases: Callable[..., tuple[Databases, DatabaseSettings]], every_server: Server
) -> None:
    ours, settings = databases(
        {
            **NOTES,
            "003_settings.sql": f"""
do $do$
begin
  execute format('alter database %I set search_path = "$user", "a ""b", public', current_database());
  execute format($f$alter database %I set "app.secret" = 'it''s \\ here'$f$, current_database());
  execute format('alter role {ROLE} in database %I set statement_timeout = %L', current_database(), '7s');
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to {ROLE}', current_database());
end
$do$;
""",
        },
        url=every_server.url("postgres"),
    )
    about = """
    select array_agg(c order by c), max(d.datacl::text) from pg_database d
    join pg_db_role_setting s on s.setdatabase = d.oid cross join unnest(s.setconfig) c
    where d.datname = %s
    """
    with ours, ours.clone(settings) as database, database.connect() as connection:
        shown = connection.execute("show search_path").fetchone()
        assert shown == ('"$user", "a ""b", public',)
        assert connection.execute("show app.secret").fetchone() == ("it's \\ here",)
        (template,) = ours._ready
        of_copy = connection.execute(about, [database.name]).fetchone()
        assert of_copy == connection.execute(about, [template]).fetchone()
        assert of_copy is not None
        assert "statement_timeout=7s" in of_copy[0]
        assert f"{ROLE}=c" in of_copy[1]
        assert database.vouch.drift().differing == ()


def test_variables_are_part_of_the_template(
    databases: Callable[..., tuple[Databases, DatabaseSettings]],
) -> None:
    files = {
        "001_a.sql": "-- var: tenant\ncreate table public.t as select :'tenant'::text as name;\n"
    }
    ours, settings = databases(files, variables={"tenant": "one"})
    other = DatabaseSettings(migrations="migrations", variables={"tenant": "two"})
    with ours, ours.clone(settings) as one, ours.clone(other) as two:
        for database, name in ((one, "one"), (two, "two")):
            with database.connect() as connection:
                assert connection.execute("select name from t").fetchall() == [(name,)]


def test_loading_it_costs_no_more_than_a_module(tmp_path: object) -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import pgvouch.testing.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        *("pgvouch", "pgvouch.testing", "pgvouch.testing.plugin", "pgvouch.testing.settings")
    ]


def test_every_fixture_and_option_is_told_of(suite: Suite) -> None:
    ran = suite("--fixtures", "--help")
    said = ran.stdout.str()
    options = set(re.findall(r"(?:--)?pgvouch[-_]\w+(?=[ =:])", said))
    assert len(options) == 6
    assert not [option for option in options if option not in PAGE]
    for name, fixture in vars(plugin).items():
        if isinstance(fixture, type(plugin.acting_as)):
            assert f"{name}" in PAGE
            assert fixture.__doc__


def test_the_embedded_server_is_made_used_again_and_stopped(reachable: Callable[[], Suite]) -> None:
    suite = reachable()
    suite.write(
        {
            # As nobody would on a server of several projects.
            "migrations/000_role.sql": f"create role {ROLE} nologin;\n",
            "test_a.py": "import pytest\n@pytest.mark.parametrize('n', range(6))\n"
            "def test_a(pgvouch_database, n): pass\n",
        }
    )
    suite("-n", "2").assert_outcomes(passed=6)
    data = suite.root / ".pgvouch" / "testing" / ".pgvouch" / "server"
    assert (data / "PG_VERSION").exists()
    assert not (data / "postmaster.pid").exists()
    assert (suite.root / ".pgvouch" / "testing" / ".gitignore").read_text() == "*\n"
    mark = data / "as it was made"  # a number of an inode is given again
    mark.touch()
    # Another text makes another template, where the role is there already.
    suite.write({"migrations/003_b.sql": "create table b ();\n"})
    suite().assert_outcomes(passed=6)
    assert mark.exists()
    # The server is killed with the run; what it has left is not trusted.
    suite.write(
        {
            "test_a.py": f"""
import os, pathlib, signal

def test_a(pgvouch_database):
    pid = pathlib.Path({str(data / "postmaster.pid")!r}).read_text().split()[0]
    os.kill(int(pid), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""
        }
    )
    assert suite().ret == -9
    suite.write({"test_a.py": "def test_a(pgvouch_database): pass\n"})
    suite().assert_outcomes(passed=1)
    assert not mark.exists()
    assert not (data / "postmaster.pid").exists()

"""A password comes from where it is kept, and goes nowhere but to its server."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from conftest import Server, _project, query, start
from fleet.conftest import Tenants
from pgvouch import embedded
from pgvouch.errors import AuthenticationError, UsageError
from pgvouch.fleet import password
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.password import reached
from pgvouch.fleet.rollout import Summary
from pgvouch.fleet.target import State, Target
from pgvouch.fleet.waves import Budget

SECRET = "s3cr'et\\ @/:?%{name}#"
NAMES = ("plain", "t'e n\\a%t/é", 'quo"ted')


@pytest.fixture(scope="module")
def strict(pg18: Server) -> Iterator[Server]:
    """A server that asks the role `app` for its password, by SCRAM."""
    del pg18
    found = start("pg18", "strict")
    project = _project("pg18", "strict")
    hba = project.server_data / "pg_hba.conf"
    hba.write_text(f"local all app scram-sha-256\n{hba.read_text()}")
    role = sql.SQL("create role app login createdb password {}").format(sql.Literal(SECRET))
    query(found.url("postgres"), role.as_string(None))
    query(found.url("postgres"), "select pg_reload_conf()")
    for name in NAMES:
        made = sql.SQL("create database {} owner app").format(sql.Identifier(name))
        query(found.url("postgres"), made.as_string(None))
    yield found
    embedded.stop(project)
    shutil.rmtree(project.server_data)


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_ASKED", {})


class Strict:
    """A fleet of the databases on that server."""

    def __init__(self, tenants: Tenants, server: Server) -> None:
        self.tenants, self.server = tenants, server
        self.folder = str(server.running.socket_folder)
        self.port = server.running.port
        listed = tenants.root / "list"
        listed.write_text(
            "".join(json.dumps({"name": n, "dir": self.folder}) + "\n" for n in NAMES)
        )

    def migrate(self, url: str, **given: object) -> Summary:
        environment = given.pop("environment", {})
        fleet = Fleet(
            "fleet", environment=environment, file="list", url=None, waves=(),
            budget=Budget(9), **given,
        )  # fmt: skip
        fleet.listing.settings = fleet.settings.given(url=url)
        return fleet.migrate()

    def done(self) -> list[bool]:
        there = "select to_regclass('pgvouch.migration') is not null"
        return [bool(query(self.server.url(name), there)[0][0]) for name in NAMES]

    def forget(self) -> None:
        for name in NAMES:
            dropped = "drop schema if exists pgvouch cascade; drop table if exists a, b"
            query(self.server.url(name), dropped)


@pytest.fixture
def fleet(tenants: Tenants, strict: Server) -> Iterator[Strict]:
    found = Strict(tenants, strict)
    yield found
    found.forget()


def test_from_the_environment_into_a_url(fleet: Strict) -> None:
    url = f"postgresql://app:${{APP_PASSWORD}}@/{{name}}?host={{dir}}&port={fleet.port}"
    summary = fleet.migrate(url, environment={"APP_PASSWORD": SECRET})
    assert summary.count(State.DONE) == 3, summary
    assert fleet.done() == [True] * 3
    with pytest.raises(UsageError, match="APP_PASSWORD is not set"):
        fleet.migrate(url)


@pytest.mark.parametrize("name", ["{name}", "'{name}'"])
def test_from_the_environment_among_keywords(fleet: Strict, name: str) -> None:
    url = f"host={{dir}} port={fleet.port} user=app password=${{APP_PASSWORD}} dbname={name}"
    summary = fleet.migrate(url, environment={"APP_PASSWORD": SECRET})
    assert summary.count(State.DONE) == 3, summary
    assert fleet.done() == [True] * 3


def test_from_libpq_s_own_places(fleet: Strict, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fleet.tenants.root
    escaped = SECRET.replace("\\", "\\\\").replace(":", "\\:")
    (root / "pass").write_text(f"*:*:*:app:{escaped}\n")
    (root / "pass").chmod(0o600)
    (root / "services").write_text(
        f"[customers]\nhost={fleet.folder}\nport={fleet.port}\nuser=app\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(root / "services"))
    service = "service=customers dbname={name}"
    refused = fleet.migrate(service)
    assert [r.state for r in refused.results] == [State.REFUSED] * 3
    monkeypatch.setenv("PGPASSFILE", str(root / "pass"))
    assert fleet.migrate(service).count(State.DONE) == 3
    fleet.forget()
    monkeypatch.delenv("PGPASSFILE")
    assert fleet.migrate(f"{service} passfile={root}/pass").count(State.DONE) == 3
    fleet.forget()
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert fleet.migrate("postgresql:///{name}?service=customers").count(State.DONE) == 3


def _prints(root: Path, secret: str = SECRET) -> tuple[str, ...]:
    """Return a command that notes for what it was run, and prints the password."""
    (root / "secret").write_text(secret)
    return (
        sys.executable, "-c",
        f"import sys; open({str(root / 'asked')!r}, 'a').write(sys.argv[-1] + '\\n'); "
        f"print(open({str(root / 'secret')!r}).read()); print('more')",
    )  # fmt: skip


def test_from_a_command_that_is_run_once(fleet: Strict) -> None:
    root = fleet.tenants.root
    url = f"postgresql://app@/{{name}}?host={{dir}}&port={fleet.port}"
    summary = fleet.migrate(url, password_command=(*_prints(root), "all"))
    assert summary.count(State.DONE) == 3, summary
    assert (root / "asked").read_text() == "all\n", "workers begin with what is known"


def test_from_a_command_for_each(fleet: Strict) -> None:
    root = fleet.tenants.root
    url = f"host={{dir}} port={fleet.port} user=app dbname={{name}}"
    assert fleet.migrate(url, password_command=(*_prints(root), "of {name}")).count(State.DONE) == 3
    asked = (root / "asked").read_text().splitlines()
    assert set(asked) == {f"of {name}" for name in NAMES}


def test_a_command_is_asked_for_a_server_s_databases_too(fleet: Strict) -> None:
    root = fleet.tenants.root
    server = fleet.server.url("postgres").replace("postgres@", "app@", 1)
    given = {"environment": {}, "password_command": (*_prints(root), "{name}")}
    found = Fleet("fleet", url=server, pattern="pl*", **given)  # type: ignore[arg-type]
    assert found.migrate().count(State.DONE) == 1
    assert set((root / "asked").read_text().splitlines()) == {"postgres", "plain"}


def test_what_it_prints_is_asked_for_again_after_a_while(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target("a", "dbname=a", "s", password_command=(*_prints(tenants.root), "a"))
    now_s = 0.0
    monkeypatch.setattr(password.time, "monotonic", lambda: 1000.0 + now_s)
    assert reached(target) == reached(target)
    now_s = 299.0
    reached(target)
    assert (tenants.root / "asked").read_text() == "a\n"
    now_s = 301.0
    reached(target)
    assert (tenants.root / "asked").read_text() == "a\na\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo token; echo; echo 'it is  denied' >&2; exit 3",
            "failed with exit code 3: it is denied",
        ),
        ("echo token; exit 1", "failed with exit code 1"),
        ("echo; echo token", "printed no password"),
        ("printf 'token\\377'", "printed something that is not UTF-8"),
        ("printf 'token\\000'", "printed a null byte"),
    ],
)
def test_a_command_that_gives_none_is_told_of_without_its_output(
    tenants: Tenants, script: str, said: str
) -> None:
    tenants.make(0)
    command = ("sh", "-c", script)
    found = tenants.fleet(pattern=None, file=_file(tenants), password_command=command)
    for result in (*found.status().results, *found.migrate().results):
        assert (result.state, result.cause) == (State.REFUSED, f"password_command {said}")
    with pytest.raises(AuthenticationError) as caught:
        reached(Target("a", "", "s", password_command=command))
    assert "token" not in repr((caught.value.as_dict(), [*password._ASKED.values()]))
    assert caught.value.__context__ is None


def test_a_program_that_is_not_there(tenants: Tenants) -> None:
    target = Target("a", "", "s", password_command=("no-such-program",))
    with pytest.raises(AuthenticationError, match="password_command cannot be run: No such file"):
        reached(target)


def test_a_password_is_in_nothing_that_is_told(fleet: Strict) -> None:
    root = fleet.tenants.root
    wrong = "wr0ng-" + SECRET
    url = f"postgresql://app@/{{name}}?host={{dir}}&port={fleet.port}"
    summary = fleet.migrate(url, password_command=(*_prints(root, wrong), "x"))
    assert [r.state for r in summary.results] == [State.REFUSED] * 3
    url = f"postgresql://app:${{P}}@/{{name}}?host={{dir}}&port={fleet.port}"
    again = fleet.migrate(url, environment={"P": wrong})
    assert [r.state for r in again.results] == [State.REFUSED] * 3
    kept = (root / ".pgvouch" / "fleet.sqlite").read_bytes()
    assert "wr0ng" not in repr((summary, again, [*password._ASKED.values()]))
    assert b"wr0ng" not in kept


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "postgresql://app:secret@{host}/{name}"', "url has a password in it"),
        ('url = "host={host} dbname={name} password=secret"', "url has a password in it"),
        ("password_command = \"sh -c 'get {name}'\"", "a value in a script"),
        ('password_command = ["/bin/bash", "-ec", "get {name}"]', "a value in a script"),
    ],
)
def test_what_the_configuration_may_not_say(tenants: Tenants, text: str, said: str) -> None:
    (tenants.root / "pgvouch.toml").write_text(f'[fleet.a]\npattern = "x"\n{text}\n')
    with pytest.raises(UsageError, match=said) as caught:
        Fleet("a", environment={})
    assert "secret" not in repr(caught.value.as_dict())


@pytest.mark.parametrize(
    ("row", "given", "said"),
    [
        ({"name": "--help"}, {"password_command": ("get", "{name}")}, "becomes an option"),
        ({"name": "a"}, {"password_command": ("get", "{id}")}, r"needs \{id\}"),
        ({"name": "a", "host": ""}, {"url": "host={host} dbname={name}"}, "is empty for a"),
    ],
)
def test_values_that_cannot_be_filled_in(
    tenants: Tenants, row: dict[str, str], given: dict[str, object], said: str
) -> None:
    (tenants.root / "list").write_text(json.dumps(row))
    with pytest.raises(UsageError, match=said):
        _given(tenants, **given).listing.targets()


def test_what_a_shell_is_to_fill_in_stays(tenants: Tenants) -> None:
    (tenants.root / "list").write_text("a")
    command = ("sh", "-c", "cat ${HOME}/$1", "sh", "-{name}")
    (target,) = _given(tenants, password_command=command).listing.targets()
    assert target.password_command == ("sh", "-c", "cat ${HOME}/$1", "sh", "-a")


@pytest.mark.parametrize(
    ("urls", "same"),
    [
        (("postgresql://u@h/d", "host=H port=5432 user=v dbname=d"), True),
        (("postgresql://u@h/d", "postgresql://u@h:5433/d"), False),
        (("postgresql://u@h/d", "postgresql://u@h/D"), False),
        (("postgresql://u@h/?service=a", "postgresql://u@h/?service=b"), False),
    ],
)
def test_a_database_with_two_names(tenants: Tenants, urls: tuple[str, str], same: bool) -> None:
    rows = [{"name": name, "url": url} for name, url in zip("ab", urls, strict=True)]
    (tenants.root / "list").write_text("\n".join(map(json.dumps, rows)))
    listing = _given(tenants).listing
    if same:
        with pytest.raises(UsageError, match="a and b are the same database"):
            listing.targets()
    else:
        assert len(listing.targets()) == 2


def _given(tenants: Tenants, **options: object) -> Fleet:
    environment = {"DATABASE_URL": "postgresql://u@h/postgres"}
    url = options.pop("url", None)
    found = Fleet("fleet", environment=environment, file=str(tenants.root / "list"), **options)
    found.listing.settings = found.settings.given(url=url)
    return found


def _file(tenants: Tenants) -> str:
    (tenants.root / "list").write_text(f"{tenants.prefix}_0\n")
    return "list"

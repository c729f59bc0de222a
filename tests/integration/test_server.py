"""The embedded server: starts on demand, goes on alone, survives crashes, belongs to the project."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Ran
from pgvouch import embedded
from pgvouch.config.project import Project
from pgvouch.errors import UsageError


@pytest.fixture
def project() -> Iterator[Project]:
    # Not pytest's tmp_path: its parents are closed to others, and root's server runs as nobody.
    root = Path(tempfile.mkdtemp(prefix="pgvouch-project-"))
    root.chmod(0o755)
    (root / "migrations").mkdir()
    (root / "migrations" / "001_a.sql").write_text("create table a ();")
    found = Project(root, root / "migrations", root / "templates", root / "seed")
    yield found
    embedded.stop(found)
    shutil.rmtree(root)


def pgvouch(project: Project, *arguments: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "pgvouch", *arguments],
        cwd=project.root,
        env={**os.environ, "DATABASE_URL": "embedded:"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_start_url_psql_stop(project: Project) -> None:
    assert embedded.find_running(embedded.data_folder(project)) is None
    started = pgvouch(project, "server", "start")
    assert started.code == 0, started.err
    assert pgvouch(project, "server", "start").out == started.out
    assert pgvouch(project, "server", "url", "x y").out.startswith("postgresql://postgres@/x%20y?")
    with psycopg.connect(started.out.strip()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert connection.execute("show wal_level").fetchone() == ("logical",)
    said = pgvouch(project, "server", "psql", "postgres", "-Atc", "select 6 * 7")
    assert said.out == "42\n"
    # Without a name it is the project's only database, before and after `--`.
    assert pgvouch(project, "migrate").code == 0
    ask = ("-Atc", "select current_database()")
    for arguments in (ask, ("--", *ask)):
        assert pgvouch(project, "server", "psql", *arguments).out == f"{project.root.name}\n"
    assert f"postgres@/{project.root.name}?" in pgvouch(project, "server", "url").out
    for name in ("one", "two"):
        (project.migrations / name).mkdir()
        (project.migrations / "001_a.sql").rename(project.migrations / name / "001_a.sql")
        (project.migrations / "001_a.sql").write_text("create table a ();")
    (project.migrations / "001_a.sql").unlink()
    assert "postgres@/?host=" in pgvouch(project, "server", "url").out
    assert pgvouch(project, "server", "psql", *ask).out == "postgres\n"
    assert pgvouch(project, "server", "stop").code == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(started.out.strip())
    assert "not running" in pgvouch(project, "server", "stop").err


def test_it_starts_on_demand_and_outlives_the_program(project: Project) -> None:
    ran = pgvouch(project, "migrate")
    assert ran.code == 0, ran.err
    running = embedded.find_running(embedded.data_folder(project))
    assert running is not None
    with psycopg.connect(running.url(project.root.name)) as connection:
        assert connection.execute("select to_regclass('a')::text").fetchone() == ("a",)


def test_a_server_that_was_killed_starts_again(project: Project) -> None:
    pgvouch(project, "migrate")
    data = embedded.data_folder(project)
    pid = int((data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while embedded.find_running(data) and time.monotonic() < deadline:
        pass  # its children hold the socket until they see that it is gone
    with psycopg.connect(embedded.ensure_running(project).url()) as connection:  # a stale pid file
        connection.execute("select 1")
    ran = pgvouch(project, "migrate")
    assert "nothing to do" in ran.out, ran.err


def test_a_data_folder_half_made_is_never_used(project: Project) -> None:
    data = embedded.data_folder(project)
    data.parent.mkdir(parents=True)
    (data.parent / "new-crashed").mkdir()
    assert pgvouch(project, "server", "start").code == 0


def test_a_long_path_gets_its_socket_elsewhere(project: Project) -> None:
    long = project.root / ("long_" * 20)
    long.mkdir()
    found = Project(long, long, long, long)
    try:
        with psycopg.connect(embedded.ensure_running(found).url()) as connection:
            connection.execute("select 1")
    finally:
        embedded.stop(found)


def test_a_link_in_the_place_of_the_socket_s_folder_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root would hand its target over to the server's user."""
    target, temporary = project.root / "target", project.root / "tmp"
    target.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    data = project.root / ("long_" * 20)
    data.mkdir()
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    (temporary / f"pgvouch-{digest}").symlink_to(target)
    before = target.stat()
    with pytest.raises(UsageError, match="another user"):
        embedded._socket_folder(data)
    assert target.stat() == before


def test_another_postgresql_s_bin_folder(project: Project) -> None:
    bins = embedded.wheel_bin().parent.parent / "pginstall" / "bin"
    (project.root / "pgvouch.toml").write_text(f'[embedded]\nbin = "{bins}"\n')
    said = pgvouch(project, "server", "psql", "postgres", "-Atc", "show server_version_num")
    assert said.out.startswith("16"), said.err


def test_a_bin_folder_without_postgresql(project: Project) -> None:
    (project.root / "pgvouch.toml").write_text('[embedded]\nbin = "/nowhere"\n')
    ran = pgvouch(project, "server", "start")
    assert ran.code == 2
    assert "embedded.bin" in ran.err


def test_root_s_closed_home_is_left_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root runs PostgreSQL as nobody, who may not enter: data and binaries go where he can be.

    Not only the project is in there, but the environment with the wheel as well.
    """
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() == 0:
        wheel = embedded.wheel_bin()
        package = wheel.parent.parent
        copy = closed / package.name / wheel.parent.name
        shutil.copytree(wheel.parent, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, closed / libraries.name)
        monkeypatch.setattr(embedded, "wheel_bin", lambda: copy / "bin")
        for path in (closed, *closed.rglob("*")):  # as a umask of 077 has made them
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)
    found = Project(closed, closed, closed, closed)
    monkeypatch.setattr(
        embedded, "_OUT_OF_THE_WAY", Path("/var/tmp") / f"pgvouch-test-{os.getpid()}"
    )
    data = embedded.data_folder(found)
    if os.geteuid() != 0:
        assert data == closed / ".pgvouch" / "server"
        return
    assert closed not in data.parents
    umask = os.umask(0o077)
    try:
        with psycopg.connect(embedded.ensure_running(found).url()) as connection:
            connection.execute("select 1")
        assert closed.stat().st_mode & 0o077 == 0
    finally:
        os.umask(umask)
        embedded.stop(found)
        subprocess.run(["rm", "-rf", str(embedded._OUT_OF_THE_WAY)], check=True)

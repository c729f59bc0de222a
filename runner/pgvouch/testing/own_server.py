"""The embedded server for tests: started by the first who needs it, stopped by the last.

Who uses it holds a shared lock on a file, which the kernel takes away from a process that dies. So
several workers and several runs of pytest share one server, and a crash leaves no more than a
running server, which the next run takes up.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from pgvouch import embedded
from pgvouch.config.project import Project
from pgvouch.postgres.reach import open_session


@contextmanager
def own_server(project: Project, root: Path) -> Iterator[str]:
    """Give the URL of an embedded server that belongs to the tests alone.

    Args:
        project: the configuration, for the binaries that it may name.
        root: of the tests; the data is in .pgvouch/testing there.

    Raises:
        UsageError: the extra `embedded` is not installed.
        ConnectError: the server does not start.
    """
    place = replace(project, root=root / ".pgvouch" / "testing", embedded_data=None)
    data = embedded.data_folder(place)
    embedded.make_folder(data.parent)
    if place.root.is_dir():
        (place.root / ".gitignore").write_text("*\n")
    with (data.parent / "users.lock").open("a") as users:
        if _is_alone(users):
            _remove_unless_sound(data)
        fcntl.flock(users, fcntl.LOCK_SH)
        url = embedded.ensure_running(place).url()
        _do_without_fsync(url)
        try:
            yield url
        finally:
            if _is_alone(users):
                embedded.stop(place)


def _is_alone(users: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _remove_unless_sound(data: Path) -> None:
    """Remove what a server has left that was not shut down: without fsync it cannot be trusted."""
    if (data / "postmaster.pid").exists() and embedded.find_running(data) is None:
        shutil.rmtree(data)


def _do_without_fsync(url: str) -> None:
    """Have the server write nothing through to the disk: tests need none of it tomorrow."""
    with open_session(url, application_name="pgvouch testing") as session:
        (said,) = session.ask("show fsync")
        if said.rows[0][0] == "on":
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                session.run(f"alter system set {setting} = off")
            session.ask("select pg_reload_conf()")

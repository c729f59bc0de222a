"""On a terminal a long migration shows that it runs; elsewhere nothing is written over."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

from conftest import Folder, query
from faults.processes import DEADLINE_S, ended, migrating, until

SLEEPING = (
    "exists (select from pg_stat_activity where wait_event = 'PgSleep' "
    "and datname = current_database())"
)
CANCEL = (
    "select pg_cancel_backend(pid) from pg_stat_activity "
    "where wait_event = 'PgSleep' and datname = current_database()"
)


def test_it_shows_the_seconds_and_takes_them_away(folder: Folder) -> None:
    folder.write({"001_a.sql": "select pg_sleep(600);"})
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "migrate", "--migrations", str(folder.path),
         "--url", folder.url],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while "… 001_a  2 s\x1b[K".encode() not in said:
        said += os.read(ours, 1000)
    query(folder.url, CANCEL)
    with suppress(OSError):  # the other end is closed
        while more := os.read(ours, 1000):
            said += more
    assert process.wait(DEADLINE_S) == 1
    os.close(ours)
    text = said.decode()
    assert "\r\x1b[K" in text.partition("001_a  2 s\x1b[K")[2].partition("error:")[0]
    assert "error:" in text


def test_nothing_of_it_elsewhere(folder: Folder) -> None:
    folder.write({"001_a.sql": "select pg_sleep(600);"})
    process = migrating(folder.path, folder.url)
    until(folder.url, SLEEPING)
    query(folder.url, "select pg_sleep(2.5)")
    query(folder.url, CANCEL)
    _, out, err = ended(process)
    assert "\r" not in out + err
    assert "\x1b" not in out + err


def test_the_wait_for_another_runner_is_told_once(folder: Folder) -> None:
    folder.write({"001_a.sql": "select pg_sleep(600);"})
    first = migrating(folder.path, folder.url)
    until(folder.url, SLEEPING)
    second = migrating(folder.path, folder.url, "--lock-wait", "4s")
    code, _, err = ended(second)
    query(folder.url, CANCEL)
    ended(first)
    assert code == 5
    assert err.count("  … another runner is at work") == 1

"""examples/notes as its users have it: its own tests, and two workers that start at once."""

import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, query


@pytest.fixture
def notes() -> Iterator[Path]:
    # Not pytest's folder: root's embedded server runs as nobody, who may not enter there.
    base = Path(tempfile.mkdtemp(prefix="pgvouch-example-"))
    base.chmod(0o755)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "examples/notes"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        target = base / Path(name).relative_to("examples")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    yield base / "notes"
    shutil.rmtree(base)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_its_own_tests_pass(notes: Path, workers: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers],
        cwd=notes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "100 passed" in done.stdout, done.stdout + done.stderr
    assert not list(notes.glob("**/postmaster.pid"))


def test_its_tests_notice_a_policy_that_shows_too_much(notes: Path) -> None:
    migration = notes / "migrations" / "003_archive_notes.sql"
    migration.write_text(
        migration.read_text().replace(
            "(visibility = 'public' and not archived)", "visibility = 'public'"
        )
    )
    for promise in (notes / "migrations" / "verify").glob("003*"):
        promise.unlink()
    (notes / "migrations" / "verify" / "003_archive_notes.sql").write_text(
        "-- check: x\nselect true;\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=notes,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = set(re.findall(r"^FAILED \S+\[(\S+)\]", done.stdout, re.MULTILINE))
    assert failed == {f"{who}-read-public-archived" for who in ("bob", "carla", "visitor")}


def test_two_workers_start_at_once_and_each_migration_is_applied_once(
    notes: Path, url: str
) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0",
         "--log-level", "info", "notes.app:create_app()"],
        cwd=notes,
        env={"DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert server.stderr is not None
    said = ""
    try:
        for line in server.stderr:
            said += line
            if said.count("ready with") == 2:
                break
        address = re.search(r"Listening at: (\S+)", said)
        assert address is not None, said
        with urllib.request.urlopen(f"{address[1]}/health") as answer:
            assert answer.read() == b'{"ok":true}\n'
    finally:
        server.terminate()
        server.stderr.close()
        server.wait(timeout=60)
    applied = Counter(re.findall(r"(\d{3}_\w+) (?:applied|provided)", said))
    assert applied == {"001_create_role": 1, "002_create_notes": 1, "003_archive_notes": 1}
    assert said.count("ready with 3 migrations") == 2
    assert len(set(re.findall(r"\[(\d+)\] \[INFO\] ready", said))) == 2
    assert query(url, "select count(*) from pgvouch._yoyo_log where operation = 'apply'") == [(3,)]

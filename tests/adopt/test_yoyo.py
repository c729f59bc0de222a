"""yoyo: from it, back to it, and forth again, with stock yoyo."""

import os
import subprocess
import sys
from pathlib import Path

from adopt.test_contract import Project
from conftest import Folder


def stock(folder: Folder, files: Path, *given: str, path: str = "public") -> str:
    """Run yoyo's own program, as docs/migrations.md has it."""
    url = folder.url.replace("postgresql://", "postgresql+psycopg://")
    command = [sys.executable, "-m", "yoyo", given[0], "--batch", "--no-config-file"]
    ran = subprocess.run(
        [*command, *given[1:], "--database", url, str(files)],
        env={**os.environ, "PGOPTIONS": f"-c search_path={path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def applied(listing: str) -> list[str]:
    return [line.split()[1] for line in listing.splitlines() if line.startswith("A ")]


def test_from_yoyo_and_back_and_forth_again(folder: Folder) -> None:
    project = Project("yoyo", folder)
    files, both = project.path / "migrations", "pgvouch,public"
    (files / "post-apply.sql").unlink()
    stock(folder, files, "apply")
    assert project.adopt().code == 0
    assert project.applied == ["0001.create-books", "0002.title-idx", "0003.seed"]
    assert "nothing to do" in project.migrate().out

    # On with ours.
    folder.write(
        {
            "0004.loans.sql": "create table public.loans ();",
            "0004.loans.rollback.sql": "drop table public.loans;",
        }
    )
    assert project.migrate().code == 0

    # Back to stock yoyo, which knows of it, undoes it, and applies it and another.
    assert applied(stock(folder, folder.path, "list", path=both)) == project.applied
    stock(folder, folder.path, "rollback", "--revision", "0004.loans", path=both)
    assert folder.query("select to_regclass('public.loans') is null") == [(True,)]
    folder.write({"0005.fees.sql": "create table public.fees ();"})
    stock(folder, folder.path, "apply", path=both)

    # And forth again.
    assert applied(stock(folder, folder.path, "list", path=both))[3:] == ["0004.loans", "0005.fees"]
    assert "nothing to do (5 applied)" in project.migrate().out
    ran = folder("rollback")
    assert "write 0005.fees.rollback.sql beside the migration" in ran.err
    folder.write({"0005.fees.rollback.sql": "drop table public.fees;"})
    ran = folder("rollback", "--steps", "5", "--discard-data")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('public.books') is null") == [(True,)]


def test_its_first_ledger_is_the_one_that_is_left_behind(folder: Folder) -> None:
    """Without the search_path stock yoyo reads what was true on the day of the adoption."""
    project = Project("yoyo", folder)
    files = project.path / "migrations"
    stock(folder, files, "apply")
    assert project.adopt().code == 0
    assert folder("rollback", "--discard-data").code == 0
    assert applied(stock(folder, files, "list"))[-1] == "0003.seed"
    assert applied(stock(folder, files, "list", path="pgvouch,public"))[-1] == "0002.title-idx"

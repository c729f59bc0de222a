"""A copy of a system's files, to be changed as a careless author would change them."""

import shutil
from pathlib import Path

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.postgres.session import Session


def copy_of(system: str, root: Path) -> Path:
    """Copy the files of a system on the platform, without the deltas: they would be regenerated.

    Returns:
        The folder of the system's files.
    """
    (root / "pgvouch.toml").write_text(f'[databases.{system}]\nrequires = ["_supabase"]\n')
    for name in ("_supabase", system):
        shutil.copytree(ROOT / "migrations" / name, root / "migrations" / name)
    folder = root / "migrations" / system
    for delta in folder.rglob("*.delta"):
        delta.unlink()
    return folder


def migrate(folder: Path, url: str) -> commands.Outcome:
    """Apply the copy."""
    system = folder.name
    migrations = read_database(find_project(folder.parents[1] / "pgvouch.toml"), system)
    with Session.open(url) as session:
        return commands.migrate(
            session, Database(system, folder, url, migrations), Options(), silent
        )

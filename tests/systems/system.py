"""What the tests of every system share: where its files are, how it is built, what its page says."""

import re
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType

from conftest import ROOT, Server
from pgvouch.config.options import Options
from pgvouch.config.project import Database, database_names, find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.files.migration import Migration
from pgvouch.postgres.session import Session

PROJECT = find_project(ROOT / "pyproject.toml")
SYSTEMS = database_names(PROJECT)
PLATFORM = ROOT / "migrations" / "_supabase"


@dataclass(frozen=True)
class System:
    """A system by its name; `tables` are its own, in the order of their references."""

    name: str
    tables: tuple[str, ...]
    schema: str = "public"
    is_shared: bool = False
    """Whether its tests share a database, each in a transaction that is rolled back."""

    @property
    def folder(self) -> Path:
        """Its migrations."""
        return ROOT / "migrations" / self.name

    @property
    def seed(self) -> Path:
        """Its development data."""
        return ROOT / "seed" / f"{self.name}.sql"

    @property
    def tests(self) -> Path:
        """Its tests."""
        return Path(__file__).parent / self.name

    @cached_property
    def text(self) -> str:
        """Its page."""
        return (ROOT / "docs" / self.name / "DATABASE.md").read_text()

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language on its page."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def described(self, conninfo: str = "", *changed: Migration) -> Database:
        """The system as pgvouch reads it, with some migrations put in the place of its own."""
        instead = {migration.id: migration for migration in changed}
        migrations = read_database(PROJECT, self.name)
        return replace(
            Database(self.name, self.folder, conninfo, migrations),
            migrations=tuple(instead.get(item.id, item) for item in migrations),
        )

    def migrate(
        self, conninfo: str, to: str | None = None, *changed: Migration
    ) -> commands.Outcome:
        """Apply what is pending, as `pgvouch migrate` does."""
        with Session.open(conninfo) as session:
            return commands.migrate(
                session,
                self.described(conninfo, *changed),
                Options(lock_wait_s=60),
                silent,
                to=to,
                require_promises=True,
            )


def world_of(name: str) -> ModuleType:
    """The module `world` of a system: its System as OURS, its Database and its Person."""
    return import_module(f"systems.{name}.world")


def dump(server: Server, url: str) -> str:
    """The schema as pg_dump sees it, the ledger left out."""
    done = subprocess.run(
        [server.bin / "pg_dump", "--schema-only", "--exclude-schema=pgvouch", url],
        capture_output=True,
        text=True,
        check=True,
    )
    # A token that pg_dump draws by lot.
    return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)

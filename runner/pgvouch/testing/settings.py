"""Which migrations a test's database is made of, and on which server it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class DatabaseSettings:
    """What the fixture `pgvouch_settings` returns. Relative paths are those of pytest's rootdir."""

    migrations: str | Path | None = None
    """A folder of migrations that needs no configuration; None: what the configuration says."""
    config: str | Path | None = None
    """The configuration file; None looks for pgvouch.toml or pyproject.toml from rootdir up."""
    database: str | None = None
    """Which one, where the project has several."""
    url: str | None = None
    """A server; the database that it names is not touched. None: `--pgvouch-url`, the environment
    variable PGVOUCH_TEST_URL, `pgvouch_url` of pytest's configuration, or an embedded server."""
    seed: bool | str | Path = False
    """Development data to load: True for seed/NAME.sql, or another file, seen from seed/."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of psql variables that files declare."""

"""The pytest plugin: databases with every migration applied, cloned from a template.

pytest imports this room in every run of every project where pgvouch is installed, so importing it
imports next to nothing. The modules, each importing only those above it:

    settings    which migrations, on which server
    fingerprint  what a template depends on, as a name
    own_server  the embedded server for tests, stopped by the last who uses it
    server      makes, copies and drops databases
    database    a database of one test
    databases   templates, and the databases cloned from them
    loading     for pytest-postgresql: the function that fills its template
    ready_made  tests of migrations, to be imported
    plugin      options and fixtures
"""

from typing import TYPE_CHECKING, Any

from pgvouch.testing.settings import DatabaseSettings

if TYPE_CHECKING:
    from pgvouch.testing.database import ClonedDatabase
    from pgvouch.testing.databases import Databases
    from pgvouch.testing.loading import load_migrations

__all__ = ["ClonedDatabase", "DatabaseSettings", "Databases", "load_migrations"]
_HOMES = {
    "ClonedDatabase": "database",
    "Databases": "databases",
    "load_migrations": "loading",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is used."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"pgvouch.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

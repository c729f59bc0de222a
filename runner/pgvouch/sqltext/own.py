"""The SQL that pgvouch runs for itself, one file a purpose."""

from functools import cache
from pathlib import Path


@cache
def own_sql(name: str) -> str:
    """Return the text of one of the package's own .sql files."""
    return (Path(__file__).parent.parent / f"{name}.sql").read_text(encoding="utf-8")

"""PostgreSQL's own parser, as a library; imported when a text is to be understood and not before.

A type checker is not led to it: its stub has Python's keywords as names, at which mypy stops, in
the projects of our users too.
"""

from importlib import import_module
from typing import Any


def postgast(part: str = "") -> Any:
    """Return the module `postgast`, or a part of it.

    Args:
        part: `errors` or `native`.
    """
    return import_module(f"postgast.{part}" if part else "postgast")

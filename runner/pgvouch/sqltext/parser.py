"""PostgreSQL's own parser, as a library; imported when a text is to be understood and not before.

Type checkers are kept away from it: its stub has Python's keywords as names, which stops mypy, in
our users' projects too.
"""

from importlib import import_module
from typing import Any


def postgast(part: str = "") -> Any:
    """Return the module `postgast`, or a part of it.

    Args:
        part: `errors` or `native`.
    """
    return import_module(f"postgast.{part}" if part else "postgast")

"""What the name of a file says: its number, and whether it is a rollback. No I/O."""

import re
from typing import NamedTuple

ROLLBACK = ".rollback.sql"
"""Ends the name of the file that rolls a migration back."""
FORWARD = ".up.sql"
"""Ends the name of a migration as golang-migrate and others name it, beside a `.down.sql`."""
BACK = (ROLLBACK, ".down.sql")
"""What the name of a rollback may end with."""
_FILE_NAME = re.compile(r"(?P<number>[0-9]+)(?:_(?P<part>[0-9]+)(?=[_-]))?[_.-].+\Z")
_DATE_DIGITS = 8


class Version(NamedTuple):
    """The number in front of a file name; 001, 0010 and 20251107120000 all sort by value.

    yoyo names its files 20251107_01_Xyz12-name: after a date the second number counts too.
    """

    number: int
    part: int = 0

    @classmethod
    def of(cls, identifier: str) -> "Version | None":
        """Return the version in an identifier such as `_supabase/000_roles`, or None."""
        match = _FILE_NAME.match(identifier.rpartition("/")[2])
        if not match:
            return None
        digits, part = match["number"], match["part"]
        return cls(int(digits), int(part) if part and len(digits) == _DATE_DIGITS else 0)


def stem_of(name: str) -> str:
    """Return what a migration is called by the name of its file: 001_a of 001_a.up.sql too."""
    if name.endswith(FORWARD) and Version.of(name.removesuffix(FORWARD)):
        return name.removesuffix(FORWARD)
    return name.rpartition(".")[0] if name.endswith((".sql", ".py")) else name

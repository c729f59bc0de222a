"""What a migration did that is no object of the catalog: rows it wrote, roles it changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.delta.roles import Roles, is_about_roles

_ROWS = "~ rows "


@dataclass(frozen=True, slots=True)
class Effects:
    """Rows written, by table (qualified and quoted), and roles changed."""

    written: frozenset[str]
    maybe_written: frozenset[str]
    """Tables for which there was a statement that writes rows, and these besides."""
    allowed: frozenset[str]
    """Tables whose rows the header allows to be written; without quotes."""
    earlier: frozenset[str]
    """Tables that may have been written before, in the same transaction."""
    role_lines: tuple[str, ...]
    """What has become of roles, as lines of a delta."""
    roles: Roles | None
    """As they are now; None where it does not matter."""

    def recorded(self, said: Sequence[str]) -> list[str]:
        """Return the lines for a .delta file.

        Args:
            said: those that the file has: what it says of roles stays, where it is so.
        """
        rows = (_rows(table) for table in self.written if not self._is_allowed(table))
        return [*rows, *self.role_lines, *self._held(said)]

    def undeclared(self) -> list[str]:
        """Return the tables for which there was a statement that has found nothing to write."""
        return sorted(t for t in self.maybe_written - self.written if not self._is_allowed(t))

    def beside(self, promised: Sequence[str]) -> list[str]:
        """Return the lines that happened, to be compared with those that were promised.

        A statement that found no row to write is what was promised, as is a role that was there.
        """
        happened = {_rows(table) for table in self.written if not self._is_allowed(table)}
        for line in promised:
            table = line.removeprefix(_ROWS)
            if table != line and (table in self.maybe_written or self._is_allowed(table)):
                happened.add(line)
        return sorted({*happened, *self.role_lines, *self._held(promised)})

    def _held(self, lines: Sequence[str]) -> list[str]:
        roles = self.roles
        if roles is None:
            return []
        return [line for line in lines if is_about_roles(line) and roles.holds(line)]

    def _is_allowed(self, table: str) -> bool:
        return table in self.earlier or _unquoted(table) in self.allowed


def _rows(table: str) -> str:
    return f"{_ROWS}{table}"


def _unquoted(name: str) -> str:
    return name.replace('""', "\0").replace('"', "").replace("\0", '"')

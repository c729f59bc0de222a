"""The tables of the live schema, as values. No I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    is_not_null: bool
    is_key: bool
    """Whether it is part of the primary key."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key, which points to a table of this schema or of another one."""

    columns: tuple[str, ...]
    schema: str
    table: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; partitions of one are left out."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    has_row_security: bool = False
    comment: str | None = None

    @property
    def references(self) -> frozenset[str]:
        """The columns that point elsewhere."""
        return frozenset(name for key in self.foreign_keys for name in key.columns)

"""What another tool has left, as values: its migrations, and its ledger. No I/O."""

from dataclasses import dataclass, field
from pathlib import Path

from pgvouch.errors import Place, VouchError


@dataclass(frozen=True, slots=True)
class Foreign:
    """One migration of another tool."""

    key: str
    """What the tool's ledger calls it."""
    path: Path
    """The file of its forward half."""
    number: str
    """As written in front of its name, such as 0003 or 1.1; empty where it has none."""
    words: str
    """The rest of its name."""
    up: str
    """Its SQL, without the tool's marks; of a Python migration of yoyo the whole file."""
    line: int = 1
    """Where that begins in its file."""
    down: str | None = None
    """Its rollback; None: it has none."""
    down_path: Path | None = None
    """Where that stands; None: in the same file."""
    verify: str | None = None
    """Its promises, as a verify file of ours."""
    is_transactional: bool = True
    """False where the tool is told to run it without a transaction."""
    is_down_transactional: bool = True
    depends: tuple[str, ...] = ()
    """The keys of others that it names; only where the order alone does not say it."""
    variables: tuple[str, ...] = ()
    """psql variables that it uses, which a header has to declare."""
    down_variables: tuple[str, ...] = ()
    """The same of its rollback."""
    checksums: frozenset[str] = frozenset()
    """What the tool's ledger may have stored of the file as it is now; empty: it stores none."""
    is_ours: bool = False
    """Whether its files are ours as they are, header and all."""
    is_repeatable: bool = False
    """Whether the tool runs it again whenever its text changes; it has no number."""

    @property
    def name(self) -> str:
        """Its file, with the folder where that has the name: 0001_init/migration.sql."""
        has_own = self.path.stem not in {"migration", "up"}
        return self.path.name if has_own else f"{self.path.parent.name}/{self.path.name}"

    @property
    def is_python(self) -> bool:
        """Whether its steps are Python, which only yoyo's can be."""
        return self.is_ours and self.path.suffix == ".py"


@dataclass(frozen=True, slots=True)
class NotCarried:
    """Something of the old project that has no counterpart, or a changed one."""

    place: Place
    what: str
    """What becomes of it: a sentence."""
    is_needed: bool = False
    """Whether the migrations would not be what they were without it: adoption is refused."""


@dataclass(frozen=True, slots=True)
class History:
    """The files of a project."""

    folder: Path
    """Where the migrations are."""
    migrations: tuple[Foreign, ...]
    """In the order in which the tool applies them; repeatable ones last."""
    not_carried: tuple[NotCarried, ...] = ()

    @property
    def by_key(self) -> dict[str, Foreign]:
        """The migrations by what the tool's ledger calls them."""
        return {migration.key: migration for migration in self.migrations}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of another tool's ledger: a migration that it says is applied."""

    key: str
    at: str | None = None
    """When, as PostgreSQL writes a timestamptz; None where it is not kept."""
    checksum: str | None = None
    """As `Foreign.checksums` spells it."""
    sql: str | None = None
    """The SQL itself, where the ledger keeps it: a file can be made of it."""
    name: str | None = None
    """The words of its name, with `sql`."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that has the name and the columns of a tool's ledger."""

    schema: str
    name: str
    quoted: str
    """Qualified and quoted."""
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class ForeignLedger:
    """What another tool says is applied."""

    table: Table
    rows: tuple[Recorded, ...]
    """In the order of application, as far as that is known."""
    errors: tuple[VouchError, ...] = field(default=())
    """Why it cannot be believed as it is: a migration that failed half way."""

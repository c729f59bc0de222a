"""Every error a user can meet, written for someone who is tired.

An error says what failed, where (file, line, column, statement), what PostgreSQL said, what state
the database is in now, and the command to go on with. It never carries a password.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

FAILED = 1
"""A migration, check or rollback failed, or there is a finding."""
USAGE = 2
"""The command line, the configuration or a file is wrong; nothing was run."""
PENDING = 3
"""Something is pending, and `status --exit-code` was asked to say so."""
DRIFT = 4
UNREACHABLE = 5
"""No connection, or a wait that ran out; `verify`: checks that could not be judged."""
NOT_EXECUTABLE, NO_COMMAND = 126, 127
"""What a shell returns for such a command."""
SIGNALLED = 128
"""Plus the number of the signal."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file the user wrote. Lines and columns count from 1, columns in characters."""

    path: Path
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = (self.path, self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """What PostgreSQL said, field by field.

    See https://www.postgresql.org/docs/current/protocol-error-fields.html.
    """

    sqlstate: str | None
    primary: str
    detail: str | None = None
    hint: str | None = None
    context: str | None = None
    position: int | None = None
    """1-based, in characters of the message that was sent."""


@dataclass(eq=False)
class VouchError(Exception):
    """Base of every error that is shown without a traceback."""

    exit_code: ClassVar[int] = FAILED
    kind: ClassVar[str] = "error"

    message: str
    place: Place | None = None
    statement: str | None = None
    """The statement it belongs to, as the author wrote it."""
    server: ServerMessage | None = None
    notes: list[str] = field(default_factory=list)
    """Facts worth a line of their own: expected and found values, other files involved."""
    state: str | None = None
    """What is in the database now."""
    hint: str | None = None
    """What to do next, preferably a command."""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    @classmethod
    def unreadable(cls, path: Path, exc: OSError, what: str = "") -> Self:
        """Return the error for a file that cannot be read; `what` is said in place of its name."""
        return cls(f"{what or path.name} cannot be read: {exc.strerror or exc}", Place(path))

    def explain(self, *notes: str, state: str | None = None, hint: str | None = None) -> Self:
        """Add what an outer caller knows; what was said closer to the cause stays.

        Args:
            notes: further facts.
            state: what is in the database, where nothing has said it yet.
            hint: what to do next, where nothing has said it yet.
        """
        self.notes += notes
        self.state = state if self.state is None else self.state
        self.hint = hint if self.hint is None else self.hint
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the error as the JSON document that `--json` prints."""
        return {
            "kind": self.kind,
            "message": self.message,
            "file": str(self.place.path) if self.place else None,
            "line": self.place.line if self.place else None,
            "column": self.place.column if self.place else None,
            "statement": self.statement,
            "sqlstate": self.server.sqlstate if self.server else None,
            "server_message": self.server.primary if self.server else None,
            "server_detail": self.server.detail if self.server else None,
            "server_hint": self.server.hint if self.server else None,
            "server_context": self.server.context if self.server else None,
            "notes": list(self.notes),
            "state": self.state,
            "hint": self.hint,
        }


class UsageError(VouchError):
    """The command line or the configuration asks for something that cannot be."""

    exit_code = USAGE
    kind = "usage"


class NoCommandError(UsageError):
    """The command that the entrypoint is to become does not exist."""

    exit_code = NO_COMMAND


class NotExecutableError(UsageError):
    """The command that the entrypoint is to become cannot be executed."""

    exit_code = NOT_EXECUTABLE


class FileError(VouchError):
    """A file cannot be read as what its name says it is; nothing was sent to the server."""

    exit_code = USAGE
    kind = "file"


class StampError(FileError):
    """A stamp cannot be expanded, or its expansion is not what the template gives."""

    kind = "stamp"


class MigrationError(VouchError):
    """PostgreSQL refused a migration or a rollback."""

    kind = "migration"


class CheckError(VouchError):
    """A promise was not kept: a check, a `same` pair or the catalog delta."""

    kind = "check"


class DriftError(VouchError):
    """What was applied is not what the files say."""

    exit_code = DRIFT
    kind = "drift"


class PlanError(VouchError):
    """Files and ledger allow no plan: order, dependencies, targets."""

    exit_code = USAGE
    kind = "plan"


class ConnectError(VouchError):
    """No connection, or it was lost, or the wait for a lock ran out."""

    exit_code = UNREACHABLE
    kind = "connection"


class NoDatabaseError(ConnectError):
    """The server is there, the database is not."""

    kind = "no database"


class NotReadyError(ConnectError):
    """Nothing answers yet, or the server is starting, stopping or recovering: worth a wait."""

    kind = "not ready"


class TooManyConnectionsError(ConnectError):
    """The server has no connection left: worth a wait."""

    kind = "too many connections"


class AuthenticationError(ConnectError):
    """The server is there and does not let us in."""

    kind = "authentication"


class StandbyError(ConnectError):
    """The server only reads: a standby, which follows its primary."""

    kind = "standby"


class DataLossError(VouchError):
    """A rollback would lose rows, and it was not allowed to."""

    kind = "data loss"


class Interrupted(KeyboardInterrupt):
    """A signal asks the program to end: SIGINT or SIGTERM."""

    def __init__(self, signal: int) -> None:
        super().__init__()
        self.signal = signal
        self.state: str | None = None
        """What is in the database now, filled in on the way out."""


MOST = 20
"""How many errors are shown; the others are only counted."""


class RefusedError(FileError):
    """Several errors in files; nothing was sent to the server."""

    kind = "files"

    def __init__(self, errors: Iterable[VouchError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"the files hold {len(self.errors)} errors", state="Nothing was run.")

    def as_dict(self) -> dict[str, Any]:
        """Return the errors as the JSON document that `--json` prints."""
        shown = [error.as_dict() for error in self.errors[:MOST]]
        return {**super().as_dict(), "errors": shown, "count": len(self.errors)}


class Gathered:
    """Errors that are kept until everything has been looked at."""

    def __init__(self) -> None:
        self.errors: list[VouchError] = []

    def gather(self) -> Self:
        """Keep what is raised inside the `with` block, and go on after it."""
        return self

    # Not a generator with @contextmanager: there is a block for each of thousands of files.
    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> bool:
        if isinstance(exc, RefusedError):
            self.errors += exc.errors
        elif isinstance(exc, (FileError, UsageError, PlanError)):
            self.errors.append(exc)
        else:
            return False
        return True

    def refuse(self) -> None:
        """Raise what was kept.

        Raises:
            VouchError: the error, where there is one.
            RefusedError: all of them, where there are several.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise RefusedError(self.errors)

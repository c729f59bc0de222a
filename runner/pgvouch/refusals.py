"""All that stands in the way, said at once instead of one a run."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pgvouch.errors import FileError, PlanError, UsageError, VouchError

MOST = 20
"""How many are told; the others are counted."""


class RefusedError(FileError):
    """Several errors in files; nothing was sent to the server."""

    kind = "files"

    def __init__(self, errors: Iterable[VouchError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"the files hold {len(self.errors)} errors", state="Nothing was run.")

    def as_dict(self) -> dict[str, Any]:
        """Return the errors as the JSON document that `--json` prints."""
        told = [error.as_dict() for error in self.errors[:MOST]]
        return {**super().as_dict(), "errors": told, "count": len(self.errors)}


class Gathered:
    """Errors that are kept until everything has been looked at."""

    def __init__(self) -> None:
        self.errors: list[VouchError] = []

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep what is raised inside, and go on behind it."""
        try:
            yield
        except RefusedError as exc:
            self.errors += exc.errors
        except (FileError, UsageError, PlanError) as exc:
            self.errors.append(exc)

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

"""How migrations are run: the command line over the configuration over the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pgvouch.errors import Place, UsageError
from pgvouch.sqltext.duration import is_duration, seconds

Measure: TypeAlias = Literal["timeout", "wait", "count"]
"""A timeout is PostgreSQL's, to which a bare number is milliseconds: that is refused. A wait is
ours, and a bare number is seconds."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be said in the configuration, by its name, and as an option of a command."""

    name: str
    measure: Measure
    doc: str

    @property
    def field(self) -> str:
        """Where it stands in `Options`, which has its default."""
        return f"{self.name}_s" if self.measure == "wait" else self.name

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return "--" + self.name.replace("_", "-")

    def read(self, text: str, place: Place | None = None) -> str | float | int:
        """Return the value for `Options`.

        Args:
            text: as it is written.
            place: the configuration file; None: the command line.

        Raises:
            UsageError: it cannot be a value.
        """
        is_count = self.measure == "count"
        if not (text.isdecimal() if is_count else is_duration(text)):
            said = f"{self.name} is a {'number' if is_count else 'time'}, not {text!r}"
        elif self.measure == "timeout" and text.isdecimal() and int(text):
            said = f"{self.name} is {text} without a unit, to PostgreSQL milliseconds"
        elif is_count:
            return int(text)
        else:
            return seconds(text, unit="s") if self.measure == "wait" else text
        sample = "5" if is_count else "5s"
        hint = f'{self.name} = "{sample}"' if place else f"{self.option} {sample}"
        raise UsageError(said, place, hint=hint)


_SETTINGS = (
    Setting(
        "lock_timeout", "timeout",
        "How long to wait for a table, e.g. 2s; by default half of deadlock_timeout.",
    ),
    Setting(
        "statement_timeout", "timeout",
        "The longest a statement may take; a file's header overrides it.",
    ),
    Setting(
        "retries", "count",
        "How often a migration that gave way to others is tried again (10).",
    ),
    Setting("retry_budget", "wait", "For all attempts of a migration together (10min)."),
    Setting("lock_wait", "wait", "How long to wait for another runner (5min)."),
)  # fmt: skip
SETTINGS = {setting.name: setting for setting in _SETTINGS}
"""By name."""


@dataclass(frozen=True, slots=True)
class Options:
    """How migrations are run. Times in seconds, or as PostgreSQL writes a duration."""

    lock_timeout: str | None = None
    """For transactional migrations; the header of a file overrides it. None: half of the server's
    deadlock_timeout."""
    statement_timeout: str | None = None
    lock_wait_s: float = 300.0
    """How long to wait for another runner."""
    retries: int = 10
    """How often a migration that gave way is tried again."""
    retry_budget_s: float = 600.0
    """For all attempts of one migration."""
    variables: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    """Whether warnings about files are errors."""
    single_transaction: bool = False
    rollback_from_files: bool = False
    """Whether the rollback files win over what the ledger has stored of them."""
    discard_data: bool = False
    """Whether a rollback may lose rows."""
    accept_difference: bool = False
    """Whether a rollback may undo something else than its migration did."""
    comment: str | None = None
    """Goes into the log of the ledger beside each migration, 255 characters at most: the rollout of
    a fleet to which it belongs."""

    @classmethod
    def of(cls, settings: Mapping[str, str], **given: Any) -> "Options":
        """Return the options that settings give.

        Args:
            settings: by their names in `SETTINGS`, as they are written.
            **given: further fields, by their own names and types.

        Raises:
            UsageError: a value that cannot be.
        """
        for name, text in settings.items():
            if (setting := SETTINGS.get(name)) is None:
                known = ", ".join(SETTINGS)
                raise UsageError(f"there is no setting {name}", hint=f"the settings: {known}")
            given[setting.field] = setting.read(text)
        return cls(**given)

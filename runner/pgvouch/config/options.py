"""How migrations are run: the command line over the configuration over the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pgvouch.errors import UsageError
from pgvouch.sqltext.duration import is_duration, seconds


class Measure(Enum):
    """What the value of a setting is; the values are words for people."""

    TIMEOUT = "a time with its unit"
    """Handed to PostgreSQL, to which a bare number is milliseconds: so one is refused."""
    WAIT = "a time"
    """Ours; a bare number is seconds."""
    COUNT = "a number"


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be said in the configuration, by its name, and as an option of a command."""

    name: str
    field: str
    """Of `Options`, where its default stands."""
    measure: Measure
    doc: str

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def sample(self) -> str:
        """A value that it can have."""
        return "5" if self.measure is Measure.COUNT else "5s"

    def read(self, text: str) -> str | float | int:
        """Return the value for `Options`.

        Raises:
            ValueError: it cannot be one; the message says why.
        """
        if self.measure is Measure.COUNT:
            if not text.isdecimal():
                raise ValueError(f"{self.name} is a number, not {text!r}")
            return int(text)
        if not is_duration(text):
            raise ValueError(f"{self.name} is a time, not {text!r}")
        if self.measure is Measure.WAIT:
            return seconds(text, unit="s")
        if text.isdecimal() and int(text):
            raise ValueError(f"{self.name} is {text} without a unit, and could be seconds or not")
        return text


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "lock_timeout",
            "lock_timeout",
            Measure.TIMEOUT,
            "How long to wait for a table, e.g. 2s; by default half of deadlock_timeout.",
        ),
        Setting(
            "statement_timeout",
            "statement_timeout",
            Measure.TIMEOUT,
            "The longest a statement may take; a file's header overrides it.",
        ),
        Setting(
            "retries",
            "retries",
            Measure.COUNT,
            "How often a migration that gave way to others is tried again (10).",
        ),
        Setting(
            "retry_budget",
            "retry_budget_s",
            Measure.WAIT,
            "For all attempts of a migration together (10min).",
        ),
        Setting(
            "lock_wait",
            "lock_wait_s",
            Measure.WAIT,
            "How long to wait for another runner (5min).",
        ),
    )
}
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
            setting = SETTINGS[name]
            try:
                given[setting.field] = setting.read(text)
            except ValueError as exc:
                hint = f"{setting.option} {setting.sample}"
                raise UsageError(str(exc), hint=hint) from None
        return cls(**given)

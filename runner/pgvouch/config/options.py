"""How migrations are run: the command line over the configuration over the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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

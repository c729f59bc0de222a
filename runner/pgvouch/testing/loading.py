"""For pytest-postgresql: the function that fills its template."""

from pathlib import Path
from typing import Any


def load_migrations(
    *,
    migrations: str | Path | None = None,
    config: str | Path | None = None,
    database: str | None = None,
    **connection: Any,
) -> None:
    """Apply every migration to a database, as an element of pytest-postgresql's `load`.

    Args:
        migrations: a folder of migrations that needs no configuration.
        config: the configuration file; None looks for one upwards.
        database: which one, where the project has several.
        connection: where: host, port, user, dbname, password, as pytest-postgresql gives them.

    Raises:
        VouchError: a migration failed.
    """
    from psycopg.conninfo import make_conninfo

    from pgvouch.address.parameters import KEYWORDS
    from pgvouch.api.vouch import Vouch

    # What else is psycopg's, such as autocommit.
    given = {name: value for name, value in connection.items() if name in KEYWORDS and value}
    url = make_conninfo("", **given)
    with Vouch(url, project=config, migrations=migrations, database=database) as vouch:
        vouch.migrate()

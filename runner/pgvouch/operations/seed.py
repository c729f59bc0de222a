"""Development data: the SQL of a seed file, in one transaction."""

from pathlib import Path

from pgvouch.engine.task import check_sql
from pgvouch.errors import MigrationError, Place
from pgvouch.files.folder import read_text
from pgvouch.files.variables import Rendered
from pgvouch.postgres.message import Message, Source
from pgvouch.postgres.session import QueryError, Session


def read_seed(path: Path) -> Source:
    """Read a seed file.

    Raises:
        FileError: it holds what cannot run in a transaction.
    """
    text = read_text(path)
    check_sql(text, path)
    return Source(path, text, Rendered(text))


def run_seed(session: Session, name: str, source: Source) -> None:
    """Run a seed, all of it or nothing.

    Args:
        session: idle.
        name: the database's, for the error.
        source: the file.

    Raises:
        MigrationError: PostgreSQL refused a statement.
    """
    message = Message().add("begin")
    message.add_source(source, None)
    try:
        session.run(message.text, rows_of_first=0)
        session.run("commit")
    except QueryError as exc:
        session.try_run("rollback")
        where = message.locate(exc)
        raise MigrationError(
            f"the seed of {name} failed: {exc.server.primary}",
            where.place or Place(source.path),
            where.statement,
            exc.server,
            state="Nothing of it is in the database.",
            hint="pgvouch status tells whether the database is migrated",
        ) from None

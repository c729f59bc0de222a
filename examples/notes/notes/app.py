"""The application: who calls comes from the gateway, what they may see and do from the database."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from flask import Blueprint, Flask, abort, current_app, request
from psycopg.rows import dict_row

from pgvouch import Event, Finished, Vouch

CALLER = "X-Caller"
"""The header in which the gateway says who has signed in. It lets no caller set it."""
MIGRATIONS = Path(__file__).parent.parent / "migrations"
ROLE = "notes_caller"
log = logging.getLogger("gunicorn.error")
api = Blueprint("api", __name__)


def prepare_database(url: str) -> None:
    """Bring the schema to what this release needs; workers that start together take turns."""

    def tell(event: Event) -> None:
        if isinstance(event, Finished):
            log.info("%s %s", event.id, event.outcome)

    with Vouch(url, migrations=MIGRATIONS, on_event=tell, wait_s=60) as vouch:
        outcome = vouch.migrate()
    log.info("ready with %d migrations", outcome.applied + outcome.provided)


def create_app(url: str | None = None, *, migrate: bool = True) -> Flask:
    """Make the application.

    Args:
        url: the database; None is DATABASE_URL.
        migrate: False where the database has its migrations, as in a test.
    """
    url = url or os.environ["DATABASE_URL"]
    if migrate:
        prepare_database(url)
    app = Flask(__name__)
    app.config["URL"] = url
    app.register_blueprint(api)
    return app


@contextmanager
def as_caller() -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Give a transaction in which the database takes us for who calls."""
    caller = request.headers.get(CALLER, "")
    with psycopg.connect(current_app.config["URL"], row_factory=dict_row) as connection:
        connection.execute(
            "select set_config('app.caller', %s, true), set_config('role', %s, true)",
            [caller, ROLE],
        )
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege:
            abort(403)
        except psycopg.errors.CheckViolation as exc:
            abort(400, f"refused: {exc.diag.constraint_name}")


@api.get("/health")
def health() -> dict[str, Any]:
    with psycopg.connect(current_app.config["URL"]) as connection:
        connection.execute("select 1")
    return {"ok": True}


@api.get("/notes")
def listed() -> dict[str, Any]:
    with as_caller() as connection:
        return {"notes": connection.execute("select * from notes order by id").fetchall()}


@api.post("/notes")
def written() -> tuple[dict[str, Any], int]:
    said = request.get_json()
    with as_caller() as connection:
        row = connection.execute(
            "insert into notes (body, team) values (%s, %s) returning *",
            [said.get("body"), said.get("team")],
        ).fetchone()
    assert row is not None
    return row, 201


@api.get("/notes/<int:number>")
def shown(number: int) -> dict[str, Any]:
    with as_caller() as connection:
        return _one(connection, number)


@api.patch("/notes/<int:number>")
def changed(number: int) -> dict[str, Any]:
    said = request.get_json()
    with as_caller() as connection:
        row = connection.execute(
            "update notes set body = coalesce(%s, body), visibility = coalesce(%s, visibility) "
            "where id = %s returning *",
            [said.get("body"), said.get("visibility"), number],
        ).fetchone()
        if row is None:
            _one(connection, number)
            abort(403)
    return row


@api.delete("/notes/<int:number>")
def deleted(number: int) -> tuple[str, int]:
    with as_caller() as connection:
        if not connection.execute("delete from notes where id = %s", [number]).rowcount:
            _one(connection, number)
            abort(403)
    return "", 204


def _one(connection: psycopg.Connection[dict[str, Any]], number: int) -> dict[str, Any]:
    """Return a note that the caller sees; what they do not see is not there."""
    row = connection.execute("select * from notes where id = %s", [number]).fetchone()
    return row if row is not None else abort(404)

"""The least that can be done: one connection, and one message for a file and its row in a ledger.

It makes no promise: no lock, no clean session, no checksum that is compared, no error with a place.

python floor.py apply|rollback|nothing|status URL FOLDER
"""

import hashlib
import sys
from pathlib import Path

import psycopg
from psycopg.sql import Literal


def main(action: str, url: str, folder: str) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        if action == "apply":
            connection.execute(
                "create table if not exists ledger (id text primary key, checksum text not null, "
                "rollback text not null, at timestamptz not null default now())"
            )
        done = connection.execute("select id, at from ledger order by id").fetchall()
        if action == "apply":
            apply(connection, Path(folder), {row[0] for row in done})
        elif action == "rollback":
            roll_back(connection, [row[0] for row in reversed(done)])
        elif action == "status":
            sys.stdout.write("".join(f"{name}  {at:%Y-%m-%d %H:%M:%S}\n" for name, at in done))


def apply(connection: psycopg.Connection, folder: Path, done: set[str]) -> None:
    for path in sorted(folder.glob("*.sql")):
        name = path.stem
        if name.endswith(".rollback") or name in done:
            continue
        text = path.read_text()
        row = (
            name,
            hashlib.sha256(text.encode()).hexdigest(),
            (folder / f"{name}.rollback.sql").read_text(),
        )
        values = ", ".join(Literal(value).as_string(None) for value in row)
        run(connection, text, f"insert into ledger (id, checksum, rollback) values ({values})")


def roll_back(connection: psycopg.Connection, names: list[str]) -> None:
    texts = dict(connection.execute("select id, rollback from ledger").fetchall())
    for name in names:
        run(
            connection,
            texts[name],
            f"delete from ledger where id = {Literal(name).as_string(None)}",
        )


def run(connection: psycopg.Connection, text: str, row: str) -> None:
    # Only the last commit need wait for the disk, and this one does not even do that.
    message = f"begin;\nset local synchronous_commit = off;\n{text}\n;{row};\ncommit"
    connection.execute(message.encode())


main(*sys.argv[1:])

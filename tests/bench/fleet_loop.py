"""What a fleet is measured beside: a loop by hand that connects, and asks the ledger for the newest
migration, or runs the files.

python -m bench.fleet_loop read|run CONCURRENCY FOLDER < urls
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

_NEWEST = "select migration_id from pgvouch.migration order by applied_order desc limit 1"
"""What it takes to know whether there is anything to do: the least that can be asked."""
_LEDGER = (
    "create schema led; create table led.ledger (id text primary key, at timestamptz default now())"
)


async def _one(url: str, texts: Sequence[str]) -> None:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    if texts:
        await connection.execute(_LEDGER)
        for number, text in enumerate(texts):
            row = f"insert into led.ledger (id) values ('{number}')"
            await connection.execute(f"begin;\n{text};\n{row};\ncommit")
    else:
        await (await connection.execute(_NEWEST)).fetchone()
    await connection.close()


async def _all(urls: Sequence[str], texts: Sequence[str], concurrency: int) -> None:
    slots = asyncio.Semaphore(concurrency)

    async def one(url: str) -> None:
        async with slots:
            await _one(url, texts)

    await asyncio.gather(*map(one, urls))


def main() -> None:
    mode, concurrency, folder = sys.argv[1:]
    files = sorted(p for p in Path(folder).glob("*.sql") if not p.name.endswith(".rollback.sql"))
    texts = [path.read_text() for path in files] if mode == "run" else []
    asyncio.run(_all(sys.stdin.read().split(), texts, int(concurrency)))


if __name__ == "__main__":
    main()

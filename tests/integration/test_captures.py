"""What a terminal shows, as it was looked at: PGVOUCH_WRITE_GOLDEN=1 writes it anew."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import Folder
from faults.processes import wake
from support.screen import Terminal, running_for

CAPTURES = Path(__file__).parent / "captures"
KINDS: dict[str, Mapping[str, str]] = {
    "colour": {},
    "no colour": {"NO_COLOR": "1"},
    "ascii": {"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"},
}
COLUMNS = (40, 80, 120)
LONG = "20251107120000_add_the_column_that_everybody_asked_for_to_the_orders"
FILES = {
    "001_customers.sql": "create table public.customers (id int primary key, name text, mail text);",
    "001_customers.rollback.sql": "drop table public.customers;",
    "verify/001_customers.sql": "-- check: it is there\nselect true;\n-- check: empty\nselect true;\n",
    "verify/001_customers.delta": (
        "+ column public.customers.id integer not null\n+ column public.customers.mail text\n"
        "+ column public.customers.name text\n"
        "+ constraint public.customers customers_pkey PRIMARY KEY (id)\n"
        "+ table public.customers (id, name, mail)\n"
    ),
    "002_orders.sql": "-- unless: to_regclass('pg_catalog.pg_class') is not null\ncreate table public.orders ();",
    **{f"{n:03}_step.sql": "select 1;" for n in range(3, 10)},
    "010_東京の注文.sql": "-- lock_timeout: 2s\nselect 1;",
    f"{LONG}.sql": "-- isolation: serializable\nselect pg_sleep(600);",
    "20251108090000_index.sql": (
        "-- transactional: false\n-- statement_timeout: 10min\nselect 1 / 0;\nselect 2;"
    ),
}


@pytest.fixture
def shop(folder: Folder) -> Folder:
    (folder.root / "pgvouch.toml").write_text('migrations = "migrations"\n')
    folder.path = folder.path / "shop"
    folder.path.mkdir()
    folder.write(FILES)
    return folder


def _shown(
    folder: Folder,
    columns: int,
    kind: str,
    *command: str,
    seen: Callable[[Terminal], None] | None = None,
) -> tuple[int, str]:
    environment = {**KINDS[kind], "DATABASE_URL": folder.url}
    with Terminal(
        *command, columns=columns, lines=40, cwd=folder.root, environment=environment
    ) as terminal:
        if seen is not None:
            seen(terminal)
        code = terminal.ended()
        return code, _normal(terminal.styled if kind == "colour" else terminal.text)


def _normal(text: str) -> str:
    """Leave out what no two runs have in common; the width of it stays."""
    text = re.sub(r" *\d+ ms", lambda m: "N ms".rjust(len(m[0])), text)
    text = re.sub(r"  \d s\b", "  N s", text)
    text = re.sub(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", "⠿", text)
    text = re.sub(r"(?m)^  [|/\\-] ", "  / ", text)
    return re.sub(r"in \d+\.\d+ s", "in N s", text)


def _all_kinds(take: Callable[[int, str], str]) -> str:
    """Return the captures of one case, each under its heading."""
    return "".join(
        f"=== {columns} columns, {kind}\n{take(columns, kind)}\n"
        for columns in COLUMNS
        for kind in KINDS
    )


def _compare(name: str, found: str) -> None:
    path = CAPTURES / f"{name}.txt"
    if "PGVOUCH_WRITE_GOLDEN" in os.environ:
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
    for block in found.split("=== ")[1:]:
        head, *lines = block.splitlines()
        if "ascii" in head:
            assert "".join(lines).isascii()


def test_plan(shop: Folder) -> None:
    _compare("plan", _all_kinds(lambda columns, kind: _shown(shop, columns, kind, "plan")[1]))


def test_status(shop: Folder) -> None:
    assert shop("migrate", "--to", "10", url=shop.url).code == 0
    shop.query(
        "update pgvouch.migration set applied_at = '2026-11-21 17:25:33Z', duration_ms = 1234.5, "
        "applied_by = 'app_owner'"
    )
    shop.write({"003_step.sql": "select 2;"})
    _compare("status", _all_kinds(lambda columns, kind: _shown(shop, columns, kind, "status")[1]))


def test_a_run_with_a_slow_migration(shop: Folder) -> None:
    def take(columns: int, kind: str) -> str:
        shop.query("drop schema if exists pgvouch cascade")
        shop.query("drop table if exists public.customers")
        middle = []

        def see(terminal: Terminal) -> None:
            terminal.until(running_for(1))
            middle.append(_normal(terminal.styled if kind == "colour" else terminal.text))
            wake(shop.url)

        code, end = _shown(shop, columns, kind, "migrate", seen=see)
        assert code == 1
        return f"{middle[0]}\n--- and then\n{end}"

    _compare("migrate", _all_kinds(take))


def test_a_check_that_is_broken(shop: Folder) -> None:
    broken = "-- check none: customers without a mail\nselect id, name from public.customers;\n"
    shop.write({"verify/001_customers.sql": broken, f"{LONG}.sql": "select 1;"})
    insert = "insert into public.customers values (1, 'Ann Author of Nothing'), (2, 'Bob');"
    text = f"{FILES['001_customers.sql']}\n{insert}"
    shop.write({"001_customers.sql": text})
    (shop.path / "verify" / "001_customers.delta").unlink()
    _compare("error", _all_kinds(lambda columns, kind: _shown(shop, columns, kind, "migrate")[1]))


def test_explain(shop: Folder) -> None:
    _compare(
        "explain",
        _all_kinds(lambda columns, kind: _shown(shop, columns, kind, "explain", "1")[1]),
    )

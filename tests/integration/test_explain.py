"""`explain`: a migration in words, with a server and without."""

import json
import os
import re

import pytest

from conftest import Folder
from pgvouch import PlanError, Vouch

SOUND = {
    "actors.toml": '[ann]\nrole = "pg_monitor"\nid = "1"\n',
    "001_notes.sql": "create table public.notes (id int);",
    "001_notes.rollback.sql": "drop table public.notes;",
    "verify/001_notes.sql": (
        "-- check: it is there\nselect true;\n"
        "-- check none: a note of nobody\nselect 1 where false;\n"
        "-- check error 42501 as ann: she reads it\ntable public.notes;\n"
        "-- same: the number of schemas\n-- before:\nselect 1;\n-- after:\nselect 1;\n"
    ),
    "verify/001_notes.delta": "+ column public.notes.id integer\n+ table public.notes (id)\n",
    "002_more.sql": (
        "-- depends: 001_notes\n-- lock_timeout: 2s\n-- statement_timeout: 0\n"
        "-- isolation: repeatable read\n-- lock_tables: public.notes in share mode\n"
        "-- writes: public.notes\n-- var: word\n-- unless: to_regclass('x') is not null\n"
        "-- irreversible: words are gone\n-- unverified: only rows\n"
        "select :'word';"
    ),
    "003_steps.sql": "-- transactional: false\nselect 1;",
    "repeat/v.sql": "create or replace view public.v as select 1 as a;",
    "repeat/v.rollback.sql": "drop view public.v;",
}


def _explained(folder: Folder, name: str) -> list[str]:
    ran = folder("explain", name)
    assert (ran.code, ran.err) == (0, "")
    return ran.out.splitlines()


def test_a_pending_migration(folder: Folder) -> None:
    folder.write(SOUND)
    assert _explained(folder, "1") == [
        "001_notes",
        "  file      migrations/001_notes.sql",
        "  state     pending",
        "  runs      all of it in one transaction, with its promises",
        "  promises  it is there",
        "            none: a note of nobody",
        "            as ann, refused with 42501: she reads it",
        "            the same before and after: the number of schemas",
        "  delta     + column public.notes.id integer",
        "            + table public.notes (id)",
        "  rollback  yes: 001_notes.rollback.sql",
    ]


def test_its_header_in_words(folder: Folder) -> None:
    folder.write(SOUND)
    assert _explained(folder, "002") == [
        "002_more",
        "  file      migrations/002_more.sql",
        "  state     pending",
        "  runs      all of it in one transaction, with its promises",
        "            its transaction is repeatable read",
        "            not run, and recorded as provided, where this holds: to_regclass('x') is not null",
        "            behind 001_notes",
        "            waits for a lock for at most 2s",
        "            a statement may take any time",
        "            takes from --var or the environment: word",
        "            may write rows of public.notes beyond its delta",
        "            promises nothing: only rows",
        "  promises  none",
        "  delta     not written down",
        '  locks     lock table "public"."notes" in share mode, ahead of everything else',
        "  rollback  irreversible: words are gone",
    ]
    assert "without a transaction around them" in _explained(folder, "3")[3]
    assert _explained(folder, "3")[-1] == "  rollback  no: there is no rollback file"


def test_state_and_history_come_from_the_ledger(folder: Folder) -> None:
    folder.write(SOUND)
    assert folder("migrate", "--var", "word=x").code == 0
    (folder.path / "001_notes.rollback.sql").unlink()
    folder.write({"001_notes.sql": SOUND["001_notes.sql"] + " "})
    assert folder("accept", "1", "--why", "a blank").code == 0
    lines = _explained(folder, "001_notes")
    (state,) = [line for line in lines if line.startswith("  state")]
    assert state.startswith("  state     applied; 20")
    assert state.endswith("4 checks passed")
    assert lines[-3] == "  rollback  yes: the ledger has stored it"
    assert "Z  applied by " in lines[-2]
    assert lines[-1].endswith("Z  accepted by postgres: a blank")
    assert _explained(folder, "repeat/v")[-1].endswith("applied by postgres")


def test_what_only_the_ledger_knows(folder: Folder) -> None:
    folder.write(SOUND)
    folder("migrate", "--to", "1")
    for file in [*folder.path.glob("**/001*"), folder.path / "002_more.sql"]:
        file.unlink()
    lines = _explained(folder, "001_notes")
    assert lines[1] == "  file      none here"
    assert lines[2].startswith("  state     applied, and its file is gone; 20")
    assert "  rollback  yes: the ledger has stored it" in lines
    assert "  delta     + column public.notes.id integer" in lines


def test_what_was_rolled_back_keeps_its_history(folder: Folder) -> None:
    folder.write(SOUND)
    folder("migrate", "--to", "1")
    folder("rollback")
    lines = _explained(folder, "1")
    assert lines[2] == "  state     pending"
    assert [re.split(r"Z  | by ", line)[1] for line in lines[-2:]] == ["applied", "rolled back"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "no database is named"),
        ("embedded:", "the embedded server does not run"),
        ("postgresql://nobody@127.0.0.1:1/x", "no connection to"),
    ],
)
def test_it_needs_no_server(
    folder: Folder, url: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder.write(SOUND)
    with Vouch(url, migrations=folder.path, environment={}) as vouch:
        found = vouch.explain("1")
    assert found.state == "not asked"
    assert found.state_why is not None
    assert found.state_why.startswith(why)
    assert len(found.promises) == 4
    assert not (folder.root / ".pgvouch").exists()


def test_a_database_that_is_not_there_has_applied_nothing(folder: Folder) -> None:
    folder.write(SOUND)
    with Vouch(f"{folder.url}&dbname=nowhere", migrations=folder.path) as vouch:
        assert vouch.explain("1").state == "pending"


def test_json_and_library_say_the_same(folder: Folder) -> None:
    folder.write(SOUND)
    folder("migrate", "--to", "1")
    document = json.loads(folder("explain", "1", "--json").out)["databases"][0]
    with Vouch(folder.url, migrations=folder.path) as vouch:
        found = vouch.explain("001")
    assert document["promises"][2]["sqlstate"] == found.promises[2].sqlstate == "42501"
    assert document["promises"][2]["line"] == found.promises[2].place.line == 5
    assert document["history"][0]["what"] == found.history[0].what == "applied"
    assert document["rollback"] == {"possible": "yes", "why": "the ledger has stored it"}


def test_an_unknown_one(folder: Folder) -> None:
    folder.write(SOUND)
    with (
        Vouch(folder.url, migrations=folder.path) as vouch,
        pytest.raises(PlanError, match="no migration 9"),
    ):
        vouch.explain("9")
    assert "did you mean 001_notes?" in folder("explain", "001_note").err


def test_a_ledger_that_may_not_be_read_is_no_error(folder: Folder) -> None:
    folder.write(SOUND)
    folder("migrate", "--to", "1")
    role = f"r_{os.getpid()}"
    folder.query(f"create role {role} login")
    try:
        with Vouch(f"{folder.url}&user={role}", migrations=folder.path) as vouch:
            found = vouch.explain("1")
    finally:
        folder.query(f"drop role {role}")
    assert (found.state, found.state_why) == ("not asked", "the ledger belongs to another role")

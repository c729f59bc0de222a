"""A project with migrations and tests of its own, run by a pytest of its own."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import ROOT, Server, query

PAGE = (ROOT / "docs" / "testing.md").read_text()
SHOWN = dict(re.findall(r"`([\w/.]+)`:\n```python\n(.*?)```", PAGE, re.DOTALL))
"""The files that docs/testing.md shows."""
ROLE = "notes_caller"
NOTES = {
    "actors.toml": f"""\
[ann]
id = "ann"
role = "{ROLE}"
settings = {{ "app.caller" = "{{id}}" }}

[bob]
id = "bob"
role = "{ROLE}"
settings = {{ "app.caller" = "{{id}}" }}

[root]
role = "postgres"

[clerk]
role = "postgres"
bypasses_rls = true
""",
    "001_create_notes.sql": f"""\
create table public.notes (
  id bigint generated always as identity primary key,
  owner text not null,
  body text not null check (btrim(body) <> '')
);
alter table public.notes enable row level security;
create policy own on public.notes
  using (owner = current_setting('app.caller')) with check (owner = current_setting('app.caller'));
grant select, insert on public.notes to {ROLE};
""",
    "001_create_notes.rollback.sql": "drop table public.notes;\n",
    "verify/001_create_notes.sql": "-- check: it is there\n"
    "select to_regclass('public.notes') is not null;\n",
    "000_role.sql": f"""\
-- unless: select exists (select from pg_catalog.pg_roles where rolname = '{ROLE}')
create role {ROLE} nologin;
""",
    "000_role.rollback.sql": f"drop role {ROLE};\n",
    "002_add_title.sql": """\
alter table public.notes add column title text;
update public.notes set title = split_part(body, '.', 1);
""",
    "002_add_title.rollback.sql": "alter table public.notes drop column title;\n",
}
SEED = "insert into notes (owner, body) values ('ann', 'milk'), ('bob', 'bread');\n"


class Suite:
    """A project whose tests are run by a pytest of their own."""

    def __init__(self, root: Path, pytester: pytest.Pytester) -> None:
        self.root = root
        self._pytester = pytester
        self.write({f"migrations/{name}": text for name, text in NOTES.items()})
        self.write(
            {"seed/notes.sql": SEED, "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n"}
        )

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def __call__(self, *arguments: str) -> pytest.RunResult:
        os.chdir(self.root)  # the pytester goes back
        return self._pytester.runpytest_subprocess(*arguments)


@pytest.fixture
def suite(
    tmp_path: Path,
    pytester: pytest.Pytester,
    pg18: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Suite]:
    """A project, with the server of these tests for its own."""
    monkeypatch.setenv("PGVOUCH_TEST_URL", pg18.url("postgres"))
    suite = Suite(tmp_path / "notes", pytester)
    yield suite
    for name in templates(pg18.url("postgres"), suite):
        query(pg18.url("postgres"), f"drop database {name}")


@pytest.fixture
def reachable(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Suite]]:
    """Makes a project with an embedded server of its own."""
    # Not pytest's folder: root's embedded server runs as nobody, who may not enter there.
    base = Path(tempfile.mkdtemp(prefix="pgvouch-plugin-"))
    base.chmod(0o755)
    monkeypatch.delenv("PGVOUCH_TEST_URL", raising=False)
    yield lambda: Suite(base / "notes", pytester)
    shutil.rmtree(base)


def templates(url: str, suite: Suite) -> list[str]:
    """The templates that the runs of a suite have left."""
    from pgvouch.testing.fingerprint import short

    folder = str((suite.root / "migrations").resolve())
    starts = {f"pgvouch_template_{short(folder, 'postgres', s)}_" for s in ("False", "notes.sql")}
    there = query(url, "select datname from pg_database where datname ~ '^pgvouch_' order by 1")
    return [str(name) for (name,) in there if str(name).startswith(tuple(starts))]

"""Tables of others that a rollback touches: to count their rows runs nothing of their owner's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import SERVERS, Folder, database_of, fresh, start

FILES = {
    "001_w.sql": "alter table public.theirs add w int;",
    "001_w.rollback.sql": "alter table public.theirs drop w;",
}
THEIRS = """
create sequence public.ran;
grant all on sequence public.ran to public;
create function public.run() returns int language plpgsql as
  'begin return nextval(''public.ran''); end';
create function public.fixed(int) returns int immutable language plpgsql as
  'begin perform public.run(); return 1; end';
create table public.theirs (id int);
"""


@pytest.fixture(params=SERVERS)
def theirs(
    request: pytest.FixtureRequest,
    make_folder: Callable[[str], Folder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Folder]:
    monkeypatch.chdir(tmp_path)
    for url in fresh(start(request.param)):
        folder = make_folder(url)
        folder.write(FILES)
        name = _landlord(folder)
        folder.query(f"create role {name} login; grant create on schema public to {name}")
        yield folder
        folder.query(f"drop owned by {name} cascade; drop role {name}")


def _landlord(folder: Folder) -> str:
    # Roles are of the whole server, where other tests run, too.
    return f"landlord_{database_of(folder.url)}"


@pytest.mark.parametrize(
    "trick",
    [
        "create index on public.theirs ((public.fixed(1)))",
        "create index on public.theirs (id) where public.fixed(1) = 1",
        "create statistics public.s on (public.fixed(1)), (id + 1) from public.theirs",
    ],
)
@pytest.mark.parametrize("rows", [0, 1])
def test_counting_runs_nothing(theirs: Folder, trick: str, rows: int) -> None:
    url = theirs.url.replace("postgres@", f"{_landlord(theirs)}@")
    with psycopg.connect(url) as landlord:
        landlord.execute(THEIRS + trick)
        landlord.execute(f"insert into public.theirs select generate_series(1, {rows})")
    assert theirs("migrate").code == 0
    with psycopg.connect(url) as landlord:
        landlord.execute("select setval('public.ran', 1, false)")
    ran = theirs("rollback")
    if rows:
        assert ran.code == 1
        assert "public.theirs.w: values that were not counted" in ran.err
        assert theirs("rollback", "--discard-data").code == 0
    else:
        assert ran.code == 0, ran.err
    assert theirs.query("select is_called from public.ran") == [(False,)]

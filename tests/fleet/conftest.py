"""A few databases with the same migrations."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from conftest import Ran, Server, query
from pgvouch.cli.main import run
from pgvouch.fleet.fleet import Fleet

FILES = {
    "001_a.sql": "create table public.a (id int primary key);",
    "001_a.rollback.sql": "drop table public.a;",
    "002_b.sql": "create table public.b (id int primary key);",
    "002_b.rollback.sql": "drop table public.b;",
}


class Tenants:
    """Databases called PREFIX_0, PREFIX_1 …, and the program run over them."""

    def __init__(self, root: Path, server: Server, capture: pytest.CaptureFixture[str]) -> None:
        self.root, self.server, self._capture = root, server, capture
        self.prefix = f"f{secrets.token_hex(4)}"
        self._stack = ExitStack()
        self.write(FILES)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / "migrations" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def make(self, *names: object) -> list[str]:
        made = [f"{self.prefix}_{name}" for name in names]
        for name in made:
            self._stack.enter_context(self.server.janitor(name))
        return made

    def url(self, name: object) -> str:
        return self.server.url(f"{self.prefix}_{name}")

    def query(self, name: object, sql: str) -> list[tuple[object, ...]]:
        return query(self.url(name), sql)

    def applied(self, name: object) -> int:
        found = self.query(name, "select to_regclass('pgvouch.migration') is not null")
        if found != [(True,)]:
            return 0
        ((count,),) = self.query(name, "select count(*) from pgvouch.migration")
        assert isinstance(count, int)
        return count

    def fleet(self, **options: object) -> Fleet:
        given = {"pattern": f"{self.prefix}_*", **options}
        return Fleet("fleet", url=self.server.url("postgres"), environment={}, **given)  # type: ignore[arg-type]

    def __call__(self, *arguments: str, **environment: str) -> Ran:
        self._capture.readouterr()
        where = ["--url", self.server.url("postgres"), "--pattern", f"{self.prefix}_*"]
        code = run(["fleet", *arguments, *where], environment)
        return Ran(code, *self._capture.readouterr())

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def tenants(
    tmp_path: Path,
    pg18: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Tenants]:
    monkeypatch.chdir(tmp_path)
    found = Tenants(tmp_path, pg18, capsys)
    yield found
    found.close()

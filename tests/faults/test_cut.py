"""The connection is cut at a message: the database is at a boundary, and a plain run finishes."""

import secrets
from pathlib import Path

import pytest

from conftest import Server
from faults import world
from pgvouch import claims, cli
from proxy import Fault, When, recording


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "GRACE_S", 0.2)


def _socket(server: Server) -> str:
    return f"{server.running.socket_folder}/.s.PGSQL.{server.running.port}"


def _through(port: int, database: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/{database}?sslmode=disable&gssencmode=disable"


def _migrate(folder: Path, url: str) -> int:
    return cli.run(["migrate", "--migrations", str(folder), "--url", url], {})


def _count(pg18: Server, folder: Path) -> int:
    name = f"cut_{secrets.token_hex(4)}"
    with pg18.janitor(name), recording(_socket(pg18)) as proxy:
        assert _migrate(folder, _through(proxy.port, name)) == 0
        return proxy.messages


def _try(server: Server, folder: Path, fault: Fault, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"cut_{secrets.token_hex(4)}"
    with server.janitor(name), recording(_socket(server)) as proxy:
        proxy.fault = fault
        capsys.readouterr()
        code = _migrate(folder, _through(proxy.port, name))
        said = capsys.readouterr().err
        assert fault.struck.is_set()
        assert "Traceback" not in said
        ledger = world.refuse_disagreement(server.url(name))
        if code:
            assert code == 5, said
            _refuse_wrong_report(said, ledger)
        assert _migrate(folder, server.url(name)) == 0, capsys.readouterr().err
        world.refuse_unfinished(server.url(name))


@pytest.mark.parametrize("when", list(When), ids=lambda when: when.name.lower())
def test_wherever_it_is_cut_a_plain_run_finishes(
    pg18: Server, tmp_path: Path, when: When, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each message is cut in one of the five ways here; `make torture` takes all five for all.
    folder = world.write(tmp_path / "m")
    messages = _count(pg18, folder)
    assert messages > 40
    for at in range(list(When).index(when), messages, len(When)):
        _try(pg18, folder, Fault(at, when), capsys)


def _refuse_wrong_report(said: str, ledger: dict[str, str]) -> None:
    for identifier in world.IDS:
        if f"Nothing of {identifier} is in the database" in said:
            assert identifier not in ledger
        if f"{identifier} is in the database, whole" in said:
            assert ledger[identifier] == "applied"

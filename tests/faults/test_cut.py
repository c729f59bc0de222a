"""The connection is cut at a message: the database is at a boundary, and a plain run finishes."""

from pathlib import Path

import pytest

from conftest import Server
from faults import world
from faults.tries import (
    count_messages,
    database,
    recording,
    refuse_wrong_report,
    socket_of,
    through,
)
from pgvouch.cli import main
from pgvouch.ledger import lease
from support.proxy import Fault, When


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


def _migrate(folder: Path, url: str) -> int:
    return main.run(["migrate", "--migrations", str(folder), "--url", url], {})


@pytest.mark.parametrize("when", list(When), ids=lambda when: when.name.lower())
def test_wherever_it_is_cut_a_plain_run_finishes(
    pg18: Server, tmp_path: Path, when: When, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each message is cut in one of the five ways here; `make torture` takes all five for all.
    folder = world.write(tmp_path / "m")
    messages = count_messages(pg18, folder)
    assert messages > 40
    for at in range(list(When).index(when), messages, len(When)):
        # In this process: starting the program would take most of the time.
        with database(pg18) as name, recording(socket_of(pg18)) as proxy:
            proxy.fault = Fault(at, when)
            capsys.readouterr()
            code = _migrate(folder, through(proxy.port, name))
            said = capsys.readouterr().err
            assert proxy.fault.struck.is_set()
            refuse_wrong_report(said, world.refuse_disagreement(pg18.url(name)))
            assert code in {0, 5}, said
            assert _migrate(folder, pg18.url(name)) == 0, capsys.readouterr().err
            world.refuse_unfinished(pg18.url(name))

"""Ten replicas start at once on an empty database: each migration lands once, and all go on."""

import random
from pathlib import Path

import pytest

from conftest import Server, query
from faults import tries, world
from faults.processes import ended, migrating, spawn
from faults.tries import REPLICAS


def test_ten_replicas_apply_each_migration_once(url: str, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "m")
    replicas = [migrating(folder, url) for _ in range(REPLICAS)]
    results = [ended(replica) for replica in replicas]
    assert [code for code, _, _ in results] == [0] * REPLICAS, results
    world.refuse_unfinished(url)


@pytest.mark.parametrize("seed", range(2))
def test_the_others_finish_what_killed_ones_began(pg18: Server, tmp_path: Path, seed: int) -> None:
    folder = world.write(tmp_path / "m")
    assert tries.race(pg18, folder, random.Random(seed)) <= 4


def test_a_rollback_beside_a_migration_leaves_no_hole(
    pg18: Server, url: str, tmp_path: Path
) -> None:
    folder = world.write(tmp_path / "m")
    for name in world.IDS:
        (folder / f"{name}.rollback.sql").write_text("select 1;")
    (folder / "010_last.rollback.sql").write_text("drop table last;")
    for seed in range(3):
        assert ended(migrating(folder, url))[0] == 0
        back = spawn("rollback", "--migrations", str(folder), "--url", url)
        forth = migrating(folder, url)
        codes = [ended(back)[0], ended(forth)[0]]
        assert set(codes) <= {0, 2}, (seed, codes)
        ledger = world.recorded(url)
        applied = [name for name in world.IDS if name in ledger]
        assert applied == world.IDS[: len(applied)]
        is_there = query(url, "select to_regclass('last') is not null")
        assert is_there == [("010_last" in ledger,)]

"""A release that is broken is seen at the canary, taken back there, mended, and run on all.

Once by one program, and once by workers, as the manifests of the documentation start them.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
import yaml

from conftest import ROOT
from faults.processes import DEADLINE_S
from fleet.conftest import Tenants
from fleet.test_queue import environment, fleet_of, queued
from pgvouch.fleet.on_queue import FleetQueue

__all__ = ["queued"]

BROKEN = "create table public.c (id int primary key, at timestamptz default now());"
MENDED = "create table public.c (id int primary key, at timestamptz not null default now());"
PROMISE = """-- check: every row of c has a time
select count(*) = 1 from information_schema.columns
where table_name = 'c' and column_name = 'at' and is_nullable = 'NO';
"""
GATE = "select not exists (select from public.errors), 'the application has errors'"


def _pgvouch(tenants: Tenants, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "pgvouch", *arguments],
        cwd=tenants.root, env=environment(tenants), capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def _alone(tenants: Tenants, *command: str) -> tuple[int, str]:
    return _pgvouch(tenants, "fleet", *command)


def _by_workers(tenants: Tenants, *command: str) -> tuple[int, str]:
    more = ["--rollback"] if command[0] == "rollback" else []
    code, out = _pgvouch(tenants, "fleet", "enqueue", "all", *more)
    assert code == 0, out
    assert _pgvouch(tenants, "fleet", "worker", "all", "--once")[0] == 0
    return _pgvouch(tenants, "fleet", "watch", "all")


@pytest.mark.parametrize("run", [_alone, _by_workers])
def test_a_release_that_is_broken_at_the_canary(
    queued: Tenants, run: Callable[..., tuple[int, str]]
) -> None:
    config = queued.root / "pgvouch.toml"
    config.write_text(f'{config.read_text()}gate_query = "{GATE}"\n')
    queued.query("control", "create table public.errors ()")
    code, out = run(queued, "migrate", "all")
    assert code == 0, out
    assert [queued.applied(n) for n in range(6)] == [2] * 6

    # The promise is not kept: the canary does not even land.
    queued.write(
        {
            "003_c.sql": BROKEN,
            "003_c.rollback.sql": "drop table public.c;",
            "verify/003_c.sql": PROMISE,
        }
    )
    code, out = run(queued, "migrate", "all")
    assert code == 1
    assert "003_c" in out
    assert [queued.applied(n) for n in range(6)] == [2] * 6

    # It lands, and the application does not work with it: the gate behind the canary stops it.
    (queued.root / "migrations" / "verify" / "003_c.sql").unlink()
    queued.query("control", "insert into public.errors default values")
    code, out = run(queued, "migrate", "all")
    assert code == 1
    assert "the application has errors" in out
    assert [queued.applied(n) for n in range(6)] == [3, 2, 2, 2, 2, 2]

    code, out = run(queued, "rollback", "all")
    assert code == 0, out
    assert [queued.applied(n) for n in range(6)] == [2] * 6

    queued.query("control", "delete from public.errors")
    queued.write({"003_c.sql": MENDED, "verify/003_c.sql": PROMISE})
    code, out = run(queued, "migrate", "all")
    assert code == 0, out
    assert [queued.applied(n) for n in range(6)] == [3] * 6
    for n in range(6):
        nullable = "select is_nullable from information_schema.columns where table_name = 'c' and column_name = 'at'"
        assert queued.query(n, nullable) == [("NO",)]
    log = "select operation from pgvouch._yoyo_log where migration_id = '003_c' order by created_at_utc"
    assert queued.query(0, log) == [("apply",), ("rollback",), ("apply",)]
    assert queued.query(1, log) == [("apply",)]
    assert FleetQueue(fleet_of(queued)).name.startswith("fleet-")


def _manifests() -> dict[str, dict[str, object]]:
    page = (ROOT / "docs" / "fleets.md").read_text()
    found = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    return {document["kind"]: document["spec"]["template"]["spec"] for document in found}


def _command(container: dict[str, Sequence[str]]) -> list[str]:
    program, *rest = container["command"]
    assert program == "pgvouch"
    return [
        sys.executable,
        "-m",
        "pgvouch",
        *("all" if word == "customers" else word for word in rest),
    ]


def test_the_manifests_of_the_documentation_work(queued: Tenants) -> None:
    manifests = _manifests()
    deployment, job = manifests["Deployment"], manifests["Job"]
    (worker,) = deployment["containers"]  # type: ignore[misc]
    command = _command(worker)
    grace_s = int(command[command.index("--grace") + 1].removesuffix("s"))
    assert deployment["terminationGracePeriodSeconds"] > grace_s  # type: ignore[operator]
    (enqueue,), (watch,) = job["initContainers"], job["containers"]  # type: ignore[misc]
    given = environment(queued)
    # The worker is there ahead of the first rollout.
    running = subprocess.Popen(
        command, cwd=queued.root, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    for container in (enqueue, watch):
        ran = subprocess.run(
            _command(container), cwd=queued.root, env=given, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    running.terminate()
    out, _ = running.communicate(timeout=DEADLINE_S)
    assert running.returncode == 0, out
    assert "rest: done" in out
    assert [queued.applied(n) for n in range(6)] == [2] * 6

"""A rollout on the queue: workers take its jobs, judge its waves, and may be killed at any time."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from conftest import Server, query
from faults.processes import DEADLINE_S, SLEEPING, bouncing, until, wake
from fleet.conftest import Tenants
from pgvouch.errors import MigrationError, PlanError, UsageError
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.on_queue import FleetQueue
from pgvouch.fleet.queue import Queue
from pgvouch.fleet.target import State

ALL = "select name, wave from public.tenants order by name"


@pytest.fixture
def queued(tenants: Tenants) -> Tenants:
    """Six databases and a control database, known to the configuration."""
    tenants.make("control", *range(6))
    tenants.query(
        "control",
        "create table tenants (name text, wave text); insert into tenants "
        f"select '{tenants.prefix}_' || n from generate_series(0, 5) as n",
    )
    (tenants.root / "pgvouch.toml").write_text(
        f'[fleet.all]\ncontrol = "CONTROL_URL"\ntargets = "{ALL}"\nwaves = ["1", "2", "rest"]\n'
    )
    return tenants


def environment(tenants: Tenants) -> dict[str, str]:
    return {
        "CONTROL_URL": tenants.url("control"),
        "DATABASE_URL": tenants.server.url("postgres"),
        "NO_COLOR": "1",
        "PATH": "/usr/bin:/bin",
    }


def fleet_of(tenants: Tenants, **given: object) -> Fleet:
    return Fleet(
        "all", environment=environment(tenants), project=tenants.root / "pgvouch.toml", **given
    )


def start(tenants: Tenants, *arguments: str) -> "subprocess.Popen[str]":
    """Start a worker as a process."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pgvouch",
            "fleet",
            "worker",
            "all",
            "--dead-after",
            "2s",
            *arguments,
        ],
        cwd=tenants.root,
        env=environment(tenants),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def workers(
    tenants: Tenants, count: int, *arguments: str
) -> Iterator[Sequence["subprocess.Popen[str]"]]:
    started = [start(tenants, *arguments) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait(DEADLINE_S)
            assert process.stdout is not None
            process.stdout.close()


def ended(tenants: Tenants) -> None:
    """Wait for the last rollout to end."""
    until(
        tenants.url("control"),
        "not exists (select from pgvouch_fleet.rollout where queue is not null and ended_at is null) "
        "and not exists (select from pgvouch_fleet.result where state = 'begun')",
    )


def test_workers_do_what_is_enqueued(queued: Tenants) -> None:
    rollout, waves = FleetQueue(fleet_of(queued)).enqueue()
    assert [(wave.name, len(wave.targets)) for wave in waves] == [
        ("canary", 1),
        ("2", 2),
        ("rest", 3),
    ]
    process = start(queued, "--once")
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    assert [queued.applied(n) for n in range(6)] == [2] * 6
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.queued.rollout.id == rollout.id
    assert progress.queued.rollout.outcome == "done"
    assert progress.counts == {(0, State.DONE): 1, (1, State.DONE): 2, (2, State.DONE): 3}


@pytest.mark.parametrize(
    ("most", "least", "shares"),
    [(50, 1, [1, 1, 1, 1, 1, 1]), (50, 4, [4, 2]), (2, 2, [2, 2, 2]), (0, 0, [])],
)
def test_a_job_takes_its_share_but_not_too_few(
    queued: Tenants, most: int, least: int, shares: list[int]
) -> None:
    """Of six databases for two slots: a quarter of what is left, so that all end together."""
    rollout, _ = FleetQueue(fleet_of(queued, per_server=2, waves=("rest",))).enqueue()

    async def taken() -> list[int]:
        found: list[int] = []
        asked = Queue(queued.url("control"), 1)
        async with asked.app.open_async():
            while True:
                async with asked.transaction() as asking:
                    known = await asking.find(rollout.id)
                    (server,) = known.said.per_server
                    names = await asking.claim(known, server, len(found), most, least)
                    if not names:
                        return found
                    found.append(len(names))

    assert asyncio.run(taken()) == shares
    states = queued.query("control", "select distinct state from pgvouch_fleet.result")
    assert states == [("begun" if shares else "queued",)]


def test_too_many_failures_end_it_and_the_next_waves_are_left(queued: Tenants) -> None:
    queued.query(1, "create table public.b ()")
    FleetQueue(fleet_of(queued, waves=("1", "2", "rest"))).enqueue()
    process = start(queued, "--once")
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert "already exists" in out
    # Of two databases one may fail, of a percentage.
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.queued.rollout.outcome == "done"
    ((state, cause, count, names),) = progress.causes
    assert (state, count, names) == (State.FAILED, 1, (f"{queued.prefix}_1",))
    assert 'relation "b" already exists' in cause

    queued.write({"003_c.sql": "create table public.c ();", "003_c.rollback.sql": "drop table c;"})
    queued.query(0, "create table public.c ()")
    FleetQueue(fleet_of(queued)).enqueue()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.queued.rollout.outcome == "stopped in canary"
    assert progress.counts == {(0, State.FAILED): 1, (1, State.LEFT): 2, (2, State.LEFT): 3}
    assert [queued.applied(n) for n in range(6)] == [2, 1, 2, 2, 2, 2]


def test_it_is_paused_behind_each_wave_and_goes_on(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue(pauses=True)
    control = queued.url("control")
    with workers(queued, 1):
        for wave, applied in ((1, 1), (2, 3)):
            until(control, f"(select paused and wave = {wave} from pgvouch_fleet.rollout)")
            assert sum(queued.applied(n) for n in range(6)) == 2 * applied
            FleetQueue(fleet_of(queued)).resume()
        ended(queued)
    assert sum(queued.applied(n) for n in range(6)) == 12


def test_a_pause_lets_what_is_under_way_end_and_begins_nothing(queued: Tenants) -> None:
    queued.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    for n in range(6):
        queued.query(n, "create table public.wait (); insert into public.wait default values")
    FleetQueue(fleet_of(queued, waves=("rest",), per_server=1)).enqueue()
    control = queued.url("control")
    with workers(queued, 2):
        until(queued.url(0), SLEEPING)
        FleetQueue(fleet_of(queued)).pause()
        queued.query(0, "delete from public.wait")
        wake(queued.url(0), "terminate")
        until(control, "not exists (select from pgvouch_fleet.result where state = 'begun')")
        counts = FleetQueue(fleet_of(queued)).progress().counts
        assert counts == {(0, State.DOWN): 1, (0, State.QUEUED): 5}
        for n in range(1, 6):
            queued.query(n, "delete from public.wait")
        FleetQueue(fleet_of(queued)).resume()
        ended(queued)
    assert [queued.applied(n) for n in range(6)] == [2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("now", [False, True])
def test_it_is_cancelled(queued: Tenants, now: bool) -> None:
    queued.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    queued.query(0, "create table public.wait (); insert into public.wait default values")
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1) as (process,):
        until(queued.url(0), SLEEPING)
        _, doing = FleetQueue(fleet_of(queued)).cancel(now=now)
        assert doing == 1
        if not now:
            queued.query(0, "delete from public.wait")
            wake(queued.url(0), "terminate")
        ended(queued)
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    assert queued.query(0, f"select {SLEEPING}") == [(False,)]
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.queued.rollout.outcome == "cancelled"
    state = State.FAILED if now else State.DOWN
    assert progress.counts == {(0, state): 1, (1, State.LEFT): 2, (2, State.LEFT): 3}
    assert [queued.applied(n) for n in range(6)] == [2, 0, 0, 0, 0, 0]
    with pytest.raises(UsageError, match="has ended: cancelled"):
        FleetQueue(fleet_of(queued)).resume()


def test_one_rollout_of_a_fleet_at_a_time(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    with pytest.raises(PlanError, match="is on the queue"):
        FleetQueue(fleet_of(queued)).enqueue()
    with pytest.raises(PlanError, match="is on the queue"):
        fleet_of(queued).migrate()
    assert queued.query("control", "select count(*) from pgvouch_fleet.rollout") == [(1,)]
    FleetQueue(fleet_of(queued)).cancel()
    FleetQueue(fleet_of(queued)).enqueue()


def test_a_worker_of_another_release_takes_nothing(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    queued.write({"003_c.sql": "select 1;"})
    other = start(queued, "--once")
    other.communicate(timeout=DEADLINE_S)
    assert other.returncode == 0
    assert [queued.applied(n) for n in range(6)] == [0] * 6
    (queued.root / "migrations" / "003_c.sql").unlink()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert [queued.applied(n) for n in range(6)] == [2] * 6


def test_a_database_that_is_made_meanwhile_has_a_wave_of_its_own(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    queued.make("new")
    queued.query("control", f"insert into tenants values ('{queued.prefix}_new')")
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    progress = FleetQueue(fleet_of(queued)).progress()
    assert [name for name, _ in progress.queued.waves] == ["canary", "2", "rest", "new"]
    assert progress.counts[(3, State.DONE)] == 1
    assert queued.applied("new") == 2


def test_exactly_what_it_did_is_rolled_back_by_workers(queued: Tenants) -> None:
    fleet_of(queued).migrate(to="001_a")
    queued.query(3, "create table public.b ()")
    FleetQueue(fleet_of(queued)).enqueue()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert [queued.applied(n) for n in range(6)] == [2, 2, 2, 1, 2, 2]
    FleetQueue(fleet_of(queued)).enqueue_rollback()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert [queued.applied(n) for n in range(6)] == [1] * 6


def test_nothing_secret_is_on_the_queue(queued: Tenants) -> None:
    url = f"postgresql://postgres:hunter2@/postgres?host={queued.server.running.socket_folder}"
    given = {**environment(queued), "DATABASE_URL": url}
    fleet = Fleet("all", environment=given, project=queued.root / "pgvouch.toml")
    FleetQueue(fleet).enqueue()
    for table in (
        "pgvouch_queue.procrastinate_jobs",
        "pgvouch_fleet.rollout",
        "pgvouch_fleet.result",
    ):
        rows = str(queued.query("control", f"select t::text from {table} as t"))
        assert rows != "[]"
        assert "hunter2" not in rows
        assert "postgresql://" not in rows


def test_what_needs_a_control_database_says_so(queued: Tenants) -> None:
    text = (queued.root / "pgvouch.toml").read_text()
    (queued.root / "pgvouch.toml").write_text(f"[fleet.all]\npattern = '{queued.prefix}_*'\n")
    with pytest.raises(UsageError, match="the fleet has none"):
        FleetQueue(fleet_of(queued)).enqueue()
    (queued.root / "pgvouch.toml").write_text(text)
    with pytest.raises(UsageError, match="is not there for the workers"):
        FleetQueue(fleet_of(queued, file="-")).enqueue()
    with pytest.raises(PlanError, match="there is no rollout here"):
        FleetQueue(fleet_of(queued)).pause()


def test_the_queue_is_what_procrastinate_makes(queued: Tenants) -> None:
    """Its files in order come to what its own schema.sql is."""
    from importlib import resources

    FleetQueue(fleet_of(queued)).enqueue()
    queued.make("reference")
    text = resources.files("procrastinate.sql").joinpath("schema.sql").read_text()
    queued.query(
        "reference", f"create schema pgvouch_queue; set search_path = pgvouch_queue; {text}"
    )
    asked = (
        "select 'relation', relname, relkind::text from pg_class where relnamespace = 'pgvouch_queue'::regnamespace "
        "union all select 'column', attrelid::regclass::text || attname, format_type(atttypid, atttypmod) from pg_attribute "
        "join pg_class as c on c.oid = attrelid where c.relnamespace = 'pgvouch_queue'::regnamespace and attnum > 0 and not attisdropped "
        "union all select 'function', oid::regprocedure::text, prosrc from pg_proc where pronamespace = 'pgvouch_queue'::regnamespace "
        "union all select 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index "
        "join pg_class as c on c.oid = indrelid where c.relnamespace = 'pgvouch_queue'::regnamespace "
        "union all select 'trigger', tgname, pg_get_triggerdef(t.oid) from pg_trigger as t "
        "join pg_class as c on c.oid = tgrelid where c.relnamespace = 'pgvouch_queue'::regnamespace and not tgisinternal "
        "order by 1, 2, 3"
    )
    made = queued.query("control", asked)
    assert len(made) > 60
    assert made == queued.query("reference", asked)
    paths = "select proconfig from pg_proc where pronamespace = 'pgvouch_queue'::regnamespace group by 1"
    assert queued.query("control", paths) == [(["search_path=pgvouch_queue, pg_temp"],)]


def test_a_schema_that_is_there_already_is_not_ours(queued: Tenants) -> None:
    queued.query("control", "create schema pgvouch_queue")
    with pytest.raises(MigrationError, match='schema "pgvouch_queue" already exists'):
        FleetQueue(fleet_of(queued)).enqueue()


def test_a_queue_of_a_newer_procrastinate_is_refused(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    queued.query(
        "control",
        "insert into pgvouch_fleet.queue_migration values ('99.00.00_01_pre_x.sql', now(), '99')",
    )
    process = start(queued)
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode != 0
    assert "was made by a newer procrastinate" in out
    assert "Traceback" not in out


def test_a_stranger_s_operators_and_functions_are_not_found(queued: Tenants) -> None:
    """A role that may create objects in public cannot run anything as the worker."""
    control = queued.url("control")
    query(
        control,
        "create table public.caught (who text); grant create on schema public to public; "
        "create function public.procrastinate_fetch_job_v2(character varying[], bigint) returns integer "
        "language sql as $$ insert into public.caught values (current_user) returning 1 $$; "
        "create function public.equal(character varying, character varying) returns boolean "
        "language sql as $$ insert into public.caught values (current_user) returning true $$; "
        "create operator public.= (leftarg = character varying, rightarg = character varying, function = public.equal)",
    )
    FleetQueue(fleet_of(queued)).enqueue()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert [queued.applied(n) for n in range(6)] == [2] * 6
    assert query(control, "select * from public.caught") == []


def test_it_works_through_a_pooler(queued: Tenants, pg18: Server) -> None:
    """A transaction pooler tells of no new jobs, and keeps nothing of a session."""
    FleetQueue(fleet_of(queued)).enqueue()
    with bouncing(pg18, queued.root) as port:
        given = {
            **environment(queued),
            "CONTROL_URL": f"postgresql://postgres@127.0.0.1:{port}/{queued.prefix}_control",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pgvouch", "fleet", "worker", "all", "--once"],
            cwd=queued.root, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        out, _ = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, out
        assert "a pooler is between" in out
        fleet = Fleet("all", environment=given, project=queued.root / "pgvouch.toml")
        assert FleetQueue(fleet).progress().queued.rollout.outcome == "done"
    assert [queued.applied(n) for n in range(6)] == [2] * 6


def test_what_is_under_way_is_shown(queued: Tenants) -> None:
    queued.query(1, "create table public.b ()")
    given = environment(queued)
    for command, said in (
        ("enqueue all", "rollout 1: 6 databases in 3 waves are on the queue"),
        ("pause all", "rollout 1 paused"),
        ("watch all --once", "rollout 1: paused"),
        ("resume all", "rollout 1 goes on"),
        ("worker all --once", "rollout 1  canary  1 database in "),
        ("watch all", "rollout 1: done"),
        ("watch all", '✗ 1 failed: 002_b.sql:1: 002_b failed: relation "b" already exists (42P07)'),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "pgvouch", "fleet", *command.split()],
            cwd=queued.root, env=given, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        assert said in ran.stdout, (command, ran.stdout, ran.stderr)
        assert ran.returncode == (1 if command == "watch all" else 0)


def test_a_worker_tells_what_happens_as_lines(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    out, _ = start(queued, "--once", "--json").communicate(timeout=DEADLINE_S)
    lines = [json.loads(line) for line in out.splitlines()]
    done = [each for line in lines if line["event"] == "databases" for each in line["databases"]]
    assert sorted(each["name"] for each in done) == [f"{queued.prefix}_{n}" for n in range(6)]
    assert {each["state"] for each in done} == {"done"}
    judged = [(line["wave"], line["outcome"]) for line in lines if line["event"] == "judged"]
    assert judged == [("canary", "went well"), ("2", "went well"), ("rest", "done")]


def test_without_its_package_the_queue_says_what_to_install(queued: Tenants) -> None:
    hidden = (
        "import sys; sys.modules['procrastinate'] = None; from pgvouch.__main__ import main; main()"
    )
    for command in ("enqueue", "worker", "watch", "pause", "resume", "cancel"):
        ran = subprocess.run(
            [sys.executable, "-c", hidden, "fleet", command, "all"],
            cwd=queued.root, env=environment(queued), capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        assert ran.returncode == 2
        assert "needs procrastinate, which is not installed" in ran.stderr
        assert "pip install 'pgvouch[fleet]'" in ran.stderr

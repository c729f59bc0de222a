"""On a live project: whoever signs in meanwhile is neither ended nor kept waiting."""

import re

import psycopg
import pytest

from conftest import ROOT, Server, query
from deploying.test_least_privilege import psql
from pgvouch.cli import main

from .project import Live, signing_in

SYSTEMS = ("learning_plans", "coding_sessions", "feature_planner")
UNDO = ("rollback", "--all", "--discard-data")


def run(live: Live, system: str, command: str, *more: str) -> int:
    config = str(ROOT / "pyproject.toml")
    given = ["--config", config, "--url", live.admin, "--retries", "40"]
    return main.run([command, system, *given, *more], {})


def test_the_stand_in_does_to_clients_what_supabase_does(live: Live) -> None:
    """Otherwise the tests below would show nothing."""
    with psycopg.connect(live.admin) as admin:
        admin.execute("create temporary table anything (n int)")
        admin.execute("create policy one on anything using (true)")
        held = admin.execute(
            "select relation::regclass::text from pg_locks where mode = 'AccessExclusiveLock' "
            "and relation::regclass::text like 'auth.%' order by 1"
        ).fetchall()
        assert held == [
            ("auth.identities",),
            ("auth.refresh_tokens",),
            ("auth.sessions",),
            ("auth.users",),
        ]
        with psycopg.connect(live.auth) as other:
            other.execute("set lock_timeout = '1ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("update auth.users set last_sign_in_at = now()")
    assert live.locked() == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_checks_lock_nothing_of_the_platform(live: Live, system: str) -> None:
    assert run(live, system, "migrate") == 0
    policies = "select count(*) from pg_policies where schemaname in ('public', 'feature_planner')"
    before = live.locked()
    # The migrations themselves do, once for each policy; their checks do not.
    assert [(before,)] == query(live.url, policies)
    assert before > 0
    assert run(live, system, "verify") == 0
    assert live.locked() == before


@pytest.mark.parametrize("system", SYSTEMS)
def test_verify_waits_for_no_long_reader(
    live: Live, system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(live, system, "migrate") == 0
    with psycopg.connect(live.auth) as backup:
        for table in ("users", "sessions", "refresh_tokens", "identities"):
            backup.execute(f"select count(*) from auth.{table}".encode())
        capsys.readouterr()
        assert run(live, system, "verify") == 0
    said = capsys.readouterr()
    assert ", 0 broken\n" in said.out
    assert said.err == ""


def test_verify_under_a_lock_on_accounts_counts_every_check(
    live: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(live, "coding_sessions", "migrate") == 0
    capsys.readouterr()
    assert run(live, "coding_sessions", "verify") == 0
    everything = int(capsys.readouterr().out.split()[1])
    with psycopg.connect(live.auth) as other:
        other.execute("lock table auth.users in access exclusive mode")
        code = run(live, "coding_sessions", "verify", "--lock-timeout", "20ms", "--retries", "0")
    said = capsys.readouterr().out
    assert code == 5
    hold, broken, unjudged = map(int, re.findall(r" (\d+) ", said.splitlines()[0]))
    assert broken == 0
    assert hold + unjudged == everything
    assert unjudged > everything / 2  # whoever acts is an account


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_platform_is_left_as_it_is(
    live: Live, system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, said in ((("migrate",), "4 provided"), (UNDO, "4 provided, 0 still applied")):
        assert run(live, system, *command) == 0
        assert said in capsys.readouterr().out
    assert query(
        live.url,
        "select to_regclass('auth.users') is not null, "
        "exists (select from pg_publication where pubname = 'supabase_realtime')",
    ) == [(True, True)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_nobody_is_kept_from_signing_in(live: Live, system: str) -> None:
    with signing_in(live) as traffic:
        for command in (("migrate",), ("verify",), UNDO):
            done = traffic.done
            assert run(live, system, *command) == 0, command
            assert traffic.done > done, command
    # A deadlock is 40P01; a wait of more than a second is 55P03, for that is the clients' limit.
    assert traffic.killed == {}


def test_least_privilege_is_refused(platform: Server, live: Live) -> None:
    state = (
        "select datacl::text, (select nspowner::regrole::text || nspacl::text from pg_namespace "
        "where nspname = 'public'), (select count(*) from pg_roles) "
        "from pg_database where datname = current_database()"
    )
    before = query(live.url, state)
    for url in (live.url, live.admin):
        done = psql(platform, url, "--set=owner=o", "--set=app=a", "--set=waiter=w")
        assert done.returncode == 3
        assert "this is a Supabase project" in done.stderr
    assert query(live.url, state) == before

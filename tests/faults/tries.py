"""One fault at one point of a run, and what must be true after it: shared by the tests and torture."""

import os
import random
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from conftest import Server, query
from faults import world
from faults.processes import answering, bouncing, crash, ended, migrating, until
from support.proxy import Fault, Recorded, When, recording

REPLICAS = 10


@contextmanager
def database(server: Server) -> Iterator[str]:
    """An empty database with a name of its own."""
    name = f"fault_{secrets.token_hex(5)}"
    with server.janitor(name):
        yield name


def socket_of(server: Server) -> str:
    """The path of a server's unix socket."""
    return f"{server.running.socket_folder}/.s.PGSQL.{server.running.port}"


def through(port: int, name: str) -> str:
    """The URL of a database through a port of the loopback."""
    return f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable"


def count_messages(server: Server, folder: Path) -> int:
    """How many messages a run without faults sends."""
    with database(server) as name, recording(socket_of(server)) as proxy:
        code, _, err = ended(migrating(folder, through(proxy.port, name)))
        assert code == 0, err
        return proxy.messages


def finish(folder: Path, url: str) -> None:
    """A plain migrate does the rest."""
    code, _, err = ended(migrating(folder, url, "--wait", "60s"))
    assert code == 0, err
    world.refuse_unfinished(url)


def refuse_wrong_report(said: str, ledger: dict[str, str]) -> None:
    """What the error says of the database is what the ledger says."""
    assert "Traceback" not in said
    for identifier in world.IDS:
        if f"Nothing of {identifier} is in the database" in said:
            assert identifier not in ledger
        if f"{identifier} is in the database, whole" in said:
            assert ledger[identifier] == "applied"


def _strike(
    server: Server,
    folder: Path,
    at: int,
    when: When,
    act: Callable[[str, "list[int]"], None],
    codes: set[int],
) -> int:
    """Run a migrate whose message `at` meets a fault; return its exit code."""
    with database(server) as name, recording(socket_of(server)) as proxy:
        pids: list[int] = []
        proxy.fault = Fault(at, when, lambda: act(name, pids))
        process = migrating(folder, through(proxy.port, name))
        pids.append(process.pid)
        code, _, err = ended(process)
        assert proxy.fault.struck.is_set()
        assert code in codes, (at, when, code, err)
        url = server.url(name)
        answering(url)
        refuse_wrong_report(err, world.refuse_disagreement(url))
        finish(folder, url)
        return code


def cut(server: Server, folder: Path, at: int, when: When) -> int:
    """The connection ends at a message."""
    # Where only the answer to the last commit or to a last look is lost, the run may be done.
    return _strike(server, folder, at, when, lambda _name, _pids: None, {0, 5})


def kill(server: Server, folder: Path, at: int, when: When) -> int:
    """The program is killed with SIGKILL at a message."""

    def act(_name: str, pids: list[int]) -> None:
        os.kill(pids[0], signal.SIGKILL)

    return _strike(server, folder, at, when, act, {-signal.SIGKILL})


def end(server: Server, folder: Path, at: int, when: When) -> int:
    """The program gets a SIGTERM at a message, and then the connection ends."""

    def act(_name: str, pids: list[int]) -> None:
        os.kill(pids[0], signal.SIGTERM)

    return _strike(server, folder, at, when, act, {0, 5, 143})


def terminate(server: Server, folder: Path, at: int, when: When) -> int:
    """An administrator ends the backend at a message."""

    def act(name: str, _pids: list[int]) -> None:
        query(
            server.url("postgres"),
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
            f"where datname = '{name}' and application_name like 'pgvouch%'",
        )

    return _strike(server, folder, at, when, act, {0, 5})


def crash_server(server: Server, folder: Path, at: int, when: When) -> int:
    """A process of the server dies with SIGKILL at a message: all of it recovers from its WAL."""
    return _strike(server, folder, at, when, lambda _n, _p: crash(server.url("postgres")), {0, 5})


def fill_disk(server: Server, folder: Path, at: int, when: When) -> int:
    """The server's disk is full at a message: no process of it can make a file longer.

    Where that befalls the log, the server stops and recovers; its new processes have room again.
    """

    def act(_name: str, _pids: list[int]) -> None:
        import resource

        url = server.url("postgres")
        for (pid,) in query(url, "select pid from pg_stat_activity where pid <> pg_backend_pid()"):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                most = resource.prlimit(int(str(pid)), resource.RLIMIT_FSIZE)[1]
                resource.prlimit(int(str(pid)), resource.RLIMIT_FSIZE, (4096, most))

    return _hold(server, folder, at, when, act, {0, 1, 5})


def freeze(server: Server, folder: Path, at: int, when: When) -> int:
    """The network is gone from a message on, and somebody asks the program to end."""

    def act(proxy: Recorded, pids: list[int]) -> None:
        proxy.freeze()
        os.kill(pids[0], signal.SIGTERM)

    return _hold(server, folder, at, when, lambda *_: None, {0, 5, 143}, at_proxy=act)


def stop(server: Server, folder: Path, at: int, when: When) -> int:
    """The program is stopped at a message, taken for dead where it can be, and goes on later."""

    def act(name: str, pids: list[int]) -> None:
        os.kill(pids[0], signal.SIGSTOP)
        try:
            code, _, err = ended(migrating(folder, server.url(name), "--lock-wait", "4s"))
            assert code in {0, 5}, err
        finally:
            os.kill(pids[0], signal.SIGCONT)

    return _hold(server, folder, at, when, act, {0, 2, 5})


def _hold(
    server: Server,
    folder: Path,
    at: int,
    when: When,
    act: Callable[[str, "list[int]"], None],
    codes: set[int],
    *,
    at_proxy: Callable[[Recorded, "list[int]"], None] = lambda _proxy, _pids: None,
) -> int:
    """Run a migrate whose message `at` (or its answer) is held up while something happens."""
    place = when if when is When.BEFORE else When.SILENT  # a message is held whole
    with database(server) as name:
        with recording(socket_of(server)) as proxy:
            pids: list[int] = []

            def strike() -> None:
                act(name, pids)
                at_proxy(proxy, pids)

            proxy.fault = Fault(at, place, strike, cuts=False)
            process = migrating(folder, through(proxy.port, name))
            pids.append(process.pid)
            code, _, err = ended(process)
            assert proxy.fault.struck.is_set()
            assert code in codes, (at, when, code, err)
        url = server.url(name)
        answering(url)
        until(url, "not exists (select from pg_stat_activity where datname = current_database() "
              "and pid <> pg_backend_pid() and state <> 'idle')")  # fmt: skip
        refuse_wrong_report(err, world.refuse_disagreement(url))
        finish(folder, url)
        return code


def race(server: Server, folder: Path, chosen: random.Random, *, port: int = 0) -> int:
    """Ten replicas at once, some of them killed on the way; returns how many."""
    with database(server) as name:
        url = server.url(name)
        target = through(port, name) if port else url
        replicas = [migrating(folder, target) for _ in range(REPLICAS)]
        deaths = chosen.randrange(5)
        for _ in range(deaths):
            step = chosen.randrange(1, len(world.IDS))
            until(url, "to_regclass('pgvouch._yoyo_log') is not null")
            until(url, f"(select count(*) from pgvouch._yoyo_log) >= {step}")
            chosen.choice(replicas).kill()
        results = [ended(replica) for replica in replicas]
        codes = [code for code, _, _ in results]
        assert set(codes) <= {0, -signal.SIGKILL}, results
        assert codes.count(0) >= REPLICAS - deaths
        world.refuse_unfinished(url)
        return deaths


def pooled_race(server: Server, folder: Path, chosen: random.Random, scratch: Path) -> int:
    """The same through PgBouncer in transaction mode."""
    with bouncing(server, scratch) as port:
        return race(server, folder, chosen, port=port)

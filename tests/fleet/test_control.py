"""A control database says which databases there are, and keeps what became of them."""

import json

import psycopg
import pytest

from conftest import query
from fleet.conftest import Tenants
from pgvouch.errors import MigrationError, PlanError, UsageError
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.target import State


def _controlled(tenants: Tenants, targets: str, **given: object) -> Fleet:
    environment = {"CONTROL_URL": tenants.url("control"), "DATABASE_URL": tenants.url("control")}
    return Fleet("fleet", environment=environment, control="CONTROL_URL", targets=targets, **given)


@pytest.fixture
def controlled(tenants: Tenants) -> Tenants:
    tenants.make("control", 0, 1, 2)
    tenants.query(
        "control",
        "create table tenants (name text, wave text, host text); insert into tenants "
        f"select '{tenants.prefix}_' || n, case when n = 2 then 'friends' end "
        "from generate_series(0, 2) as n",
    )
    return tenants


ALL = "select name, wave from tenants order by name"


def test_its_query_says_which_databases_and_their_waves(controlled: Tenants) -> None:
    fleet = _controlled(controlled, ALL)
    waves = [(wave.name, [t.name for t in wave.targets]) for wave, _ in fleet.plan()]
    prefix = controlled.prefix
    assert waves == [("friends", [f"{prefix}_2"]), ("1", [f"{prefix}_0"]), ("1%", [f"{prefix}_1"])]
    assert fleet.migrate().count(State.DONE) == 3
    told = "select state, version, finished, cause from pgvouch_fleet.result"
    assert set(controlled.query("control", told)) == {("done", "002_b", '["001_a", "002_b"]', None)}
    assert not (controlled.root / ".pgvouch").exists()
    assert fleet.rollback().count(State.DONE) == 3
    assert [controlled.applied(n) for n in range(3)] == [0] * 3
    actions = "select action, outcome from pgvouch_fleet.rollout order by id"
    assert controlled.query("control", actions) == [("migrate", "done"), ("rollback", "done")]


def test_nothing_of_a_url_is_kept(controlled: Tenants) -> None:
    host = controlled.server.running.url().partition("host=")[2].partition("&")[0]
    fleet = _controlled(controlled, ALL, url=None)
    fleet.migrate()
    rows = str(controlled.query("control", "select r::text from pgvouch_fleet.result as r"))
    rows += str(controlled.query("control", "select r::text from pgvouch_fleet.rollout as r"))
    assert host not in rows
    assert "postgresql" not in rows


def test_results_of_a_stranger_are_not_believed(controlled: Tenants) -> None:
    fleet = _controlled(controlled, ALL)
    fleet.migrate()
    role = f"{controlled.prefix}_mallory"
    with psycopg.connect(controlled.url("control"), autocommit=True) as connection:
        connection.execute(f"create role {role}")
        connection.execute(f"alter table pgvouch_fleet.result owner to {role}")
    try:
        with pytest.raises(PlanError):
            fleet.rollback()
        assert [controlled.applied(n) for n in range(3)] == [2] * 3
    finally:
        query(controlled.url("control"), "drop schema pgvouch_fleet cascade")
        query(controlled.url("control"), f"drop role {role}")


@pytest.mark.parametrize(
    ("targets", "kind", "said"),
    [
        ("select wave from tenants", UsageError, "gives no column `name`"),
        ("select nonsense", MigrationError, "the query for the databases fails"),
        ("delete from tenants returning name", MigrationError, "read-only transaction"),
        ("select 'a' as name union all select 'a'", UsageError, "comes twice"),
        ("select null as name", UsageError, "has no name"),
        ("select 1 as name; select 2 as name", UsageError, "is one statement"),
    ],
)
def test_a_query_that_is_none(
    controlled: Tenants, targets: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        _controlled(controlled, targets).plan()
    assert controlled.query("control", "select count(*) from tenants") == [(3,)]


def test_what_a_url_needs_and_a_row_has_not(controlled: Tenants) -> None:
    (controlled.root / "pgvouch.toml").write_text(
        '[fleet.customers]\ncontrol = "CONTROL_URL"\ntargets = "select name, host from tenants"\n'
        'url = "postgresql://app@{host}/{name}"\n'
    )
    environment = {"CONTROL_URL": controlled.url("control")}
    with pytest.raises(UsageError, match=r"needs \{host\}"):
        Fleet("customers", environment=environment).plan()
    controlled.query("control", "update tenants set host = 'a b%c'")
    (target, *_) = Fleet("customers", environment=environment).listing.targets()
    assert target.conninfo == f"postgresql://app@a%20b%25c/{controlled.prefix}_0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[fleet.a]\ncontrol = "postgresql://x:secret@h/d"', "is the name of a variable"),
        ('[fleet.a]\npatern = "x"', "did you mean pattern"),
        ("[fleet.a]\njobs = 0", "a number from 1 on"),
        ('[fleet.a]\nwaves = "1"', "is a list"),
        ('[fleet.a]\nmax_failures = "many"', "a number or a percentage"),
        ('[fleet.a]\npattern = "x"\nfile = "y"', "says twice"),
        ("[fleet.b]", "there is no fleet a"),
        ("[fleet.a]", "nothing says which databases"),
    ],
)
def test_what_the_configuration_may_not_say(tenants: Tenants, text: str, said: str) -> None:
    (tenants.root / "pgvouch.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        Fleet("a", environment={"DATABASE_URL": tenants.server.url("postgres")}).plan()
    assert said in f"{caught.value.message} {caught.value.notes}"
    assert "secret" not in f"{caught.value} {caught.value.notes} {caught.value.hint}"


def test_no_function_of_a_stranger_is_run_by_a_query(controlled: Tenants) -> None:
    """One that fits better would be taken ahead of PostgreSQL's own."""
    control = controlled.url("control")
    controlled.query("control", "grant create on schema public to public")
    role = f"{controlled.prefix}_stranger"
    controlled.query("control", f"create role {role} login")
    try:
        with psycopg.connect(control.replace("postgres@", f"{role}@", 1)) as stranger:
            stranger.execute(
                "create function public.cat(bigint, text) returns text language sql as $$ select "
                "'caught' $$; create operator public.|| "
                "(leftarg = bigint, rightarg = text, function = public.cat)"
            )
        named = "select name, count(*) || ' x' as wave from public.tenants group by name"
        waves = {target.wave for target in _controlled(controlled, named).listing.targets()}
        assert waves == {"1 x"}
        with pytest.raises(MigrationError, match='relation "tenants" does not exist') as told:
            _controlled(controlled, "select name from tenants").listing.targets()
        assert "write the schema of each table, as in public.NAME" in str(told.value.hint)
    finally:
        controlled.query("control", f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"u:SECRET@host/x\n", "looks like a URL without its postgresql://"),
        (b"\xff\xfe\n", "this list is not UTF-8"),
        (b'{"name": "\\ud800"}\n', "is none of a database"),
        (b'{"name": "a\\u0000b"}\n', "is none of a database"),
    ],
)
def test_what_is_no_name_in_a_list(tenants: Tenants, lines: bytes, said: str) -> None:
    (tenants.root / "names").write_bytes(lines)
    with pytest.raises(UsageError, match=said) as told:
        tenants.fleet(pattern=None, file="names").migrate()
    assert "SECRET" not in f"{told.value}{told.value.hint}{told.value.notes}"


def test_two_servers_may_share_a_folder_of_sockets(tenants: Tenants) -> None:
    urls = [f"postgresql://u@/app?host=/tmp/none&port={port}" for port in (5432, 5433)]
    rows = [{"name": f"n{n}", "url": url} for n, url in enumerate(urls)]
    (tenants.root / "urls").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    targets = tenants.fleet(pattern=None, file="urls").listing.targets()
    assert len({target.server for target in targets}) == 2

"""Which database is meant, from what people write; no server is asked."""

import os
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from pgvouch.address.conninfo import looks_like_one, parts_of
from pgvouch.address.dotenv import DotEnv
from pgvouch.address.foreign import understood
from pgvouch.address.parameters import DRIVERS, DRIVERS_OWN
from pgvouch.address.where import Given, find_target
from pgvouch.config.project import find_project
from pgvouch.errors import UsageError
from pgvouch.files.variables import given_variables

SECRET = "S3krItX"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PG", "DATABASE_URL"))]:
        if name != "PGVOUCH_TEST_SERVERS":
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("text", "url", "left"),
    [
        ("postgresql+psycopg://u:p@h/d", "postgresql://u:p@h/d", ("+psycopg",)),
        ("postgres+psycopg2://h/d", "postgresql://h/d", ("+psycopg2",)),
        ("postgresql+asyncpg://h/d?ssl=require", "postgresql://h/d?sslmode=require", ("+asyncpg",)),
        ("postgresql://h/d?pgbouncer=true", "postgresql://h/d", ("pgbouncer",)),
        (
            "postgresql://u:a?b@h/d?schema=public&connection_limit=1&sslmode=require&pool_timeout=0",
            "postgresql://u:a?b@h/d?sslmode=require",
            ("schema", "connection_limit", "pool_timeout"),
        ),
        ("postgresql://h/d?ssl=true", "postgresql://h/d?ssl=true", ()),
        ("postgresql://h/d?ssl=verify-full", "postgresql://h/d?sslmode=verify-full", ()),
        ("postgresql://h/d?charset=UTF8", "postgresql://h/d", ("charset",)),
        ("postgresql+ssh://h/d", "postgresql+ssh://h/d", ()),
        ("postgresql://h/d?&", "postgresql://h/d?&", ()),
        ("postgresql://?service=s", "postgresql://?service=s", ()),
        ("host=h pgbouncer=true", "host=h pgbouncer=true", ()),
        ("mysql+pymysql://h/d", "mysql+pymysql://h/d", ()),
        ("", "", ()),
    ],
)
def test_what_other_programs_write(text: str, url: str, left: tuple[str, ...]) -> None:
    assert understood(text) == (url, left)


@pytest.mark.parametrize("text", ["mysql://h/d", "mysql+pymysql://h/d", "sqlite:///d"])
def test_the_url_of_another_database_is_called_so(text: str) -> None:
    with pytest.raises(UsageError, match="the URL in --url is not a PostgreSQL URL"):
        parts_of(text, "--url")


@pytest.mark.parametrize(
    "parameter",
    [
        *("schema=app", "currentSchema=app", "search_path=app", "statement_timeout=5"),
        *("sslaccept=strict", "charset=latin1", "ssl=false", "ssl=no-verify", f"{SECRET}=1"),
        *("sslidentity=x", "schema=", "schema=%70ublic", f"pgbounce={SECRET}"),
    ],
)
def test_what_decides_is_not_left_out(parameter: str) -> None:
    with pytest.raises(UsageError) as caught:
        url, _ = understood(f"postgresql://h/d?pgbouncer=true&{parameter}")
        parts_of(url)
    assert SECRET not in repr(vars(caught.value))


SPECIAL = st.text(st.sampled_from(string.punctuation + " äß🐘\t\n"), max_size=4)
PIECE = st.text(st.sampled_from("QXZ0479"), min_size=1, max_size=6)
PASSWORDS = st.lists(st.tuples(PIECE, SPECIAL), min_size=1, max_size=4).map(
    lambda pieces: "".join(a + b for a, b in pieces)
)
FOREIGN = st.lists(st.sampled_from(sorted(DRIVERS_OWN)), max_size=3).map(
    lambda names: [f"{name}=1" for name in names]
)


@given(PASSWORDS, st.sampled_from(sorted(DRIVERS)), FOREIGN)
def test_a_password_is_what_it_was(password: str, driver: str, parameters: list[str]) -> None:
    encoded = quote(password, safe="")
    text = f"postgresql+{driver}://u:{encoded}@h:1/d?{'&'.join(parameters)}"
    url, left = understood(text)
    assert parts_of(url) == {
        **{"user": "u", "password": password, "host": "h", "port": "1", "dbname": "d"}
    }
    assert set(left) == {f"+{driver}", *(each.partition("=")[0] for each in parameters)}


@given(PASSWORDS, FOREIGN, st.sampled_from(["", "+asyncpg"]))
def test_nothing_of_a_password_is_told(password: str, parameters: list[str], driver: str) -> None:
    text = f"postgresql{driver}://u:{password}@h:1/d?{'&'.join([*parameters, password])}"
    assert looks_like_one(text)
    try:
        target = find_target("", Given(text), alone=True)
    except UsageError as exc:
        said = " ".join([exc.message, *exc.notes, str(exc.hint)])
    else:
        said = target.note
    digits = [str(number) for number in range(len(text) + 1)]  # the place of the mistake
    pieces = {password[i : i + 4] for i in range(len(password) - 3)}
    assert not [p for p in pieces if p in said and p not in digits]


def _url(environment: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> str:
    given = Given(None, environment, dotenv or {}, "ALL_URL", {"notes": "NOTES_URL"})
    return find_target("notes", given, alone=True).url


def test_the_order() -> None:
    order = ["NOTES_URL", "DATABASE_URL_NOTES", "ALL_URL", "DATABASE_URL"]
    environment = {name: f"postgresql://{name.lower()}/d" for name in order} | {"PGDATABASE": "x"}
    for name in order:
        assert _url(environment) == f"postgresql://{name.lower()}/d"
        # The same of a file comes behind all of them, and ahead of PG….
        assert _url({"PGDATABASE": "x"}, environment) == f"postgresql://{name.lower()}/d"
        assert _url({"DATABASE_URL": "postgresql://here/d"}, environment) == "postgresql://here/d"
        del environment[name]
    assert conninfo_to_dict(_url(environment)) == {"dbname": "x"}
    given = Given("postgresql://option/d", {"NOTES_URL": "postgresql://e/d"}, url_env="NOTES_URL")
    assert find_target("", given, alone=True).source == "--url"


def test_what_is_empty_in_the_environment_hides_what_the_file_says() -> None:
    with pytest.raises(UsageError, match="no database is named"):
        _url({"DATABASE_URL": ""}, {"DATABASE_URL": "postgresql://h/d"})


@pytest.mark.parametrize("name", ["PGDATABASE", "PGHOST", "PGUSER"])
def test_a_name_that_is_no_text(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"PGDATABASE": "d", "PGPASSWORD": "\udcff", name: "\udcff"}
    for variable, value in place.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"in {name} or in the service file is no text in UTF-8"):
        find_target("d", Given(None, os.environ), alone=True)
    monkeypatch.setenv(name, "x")
    assert find_target("d", Given(None, os.environ), alone=True).source == "PGDATABASE"


@pytest.mark.parametrize("name", ["PGAPPNAME", "PGDATABASE", "PGPASSWORD", "PGUSER"])
def test_what_is_no_text_in_an_environment_of_the_callers_own(name: str) -> None:
    """libpq does not see it, so that it would have to go into a connection string."""
    for place in ({"PGDATABASE": "d"}, {"DATABASE_URL": "postgresql://h"}):
        said = f"in {name} or in the service file is no text in UTF-8"
        with pytest.raises(UsageError, match=said):
            _url({**place, name: "\udcff"})


def test_a_folder_whose_name_is_no_text() -> None:
    for url in ("postgresql://h", "postgresql://h/d", "embedded:"):
        with pytest.raises(UsageError, match=r"its folder, and notes\\udcff is no text in UTF-8"):
            find_target("notes\udcff", Given(url), alone=True)


def test_it_is_said_what_is_missing() -> None:
    for place in ({"PGHOST": "h", "PGUSER": "u"}, {"PGHOSTADDR": "::1"}):
        with pytest.raises(UsageError, match="no database is named") as caught:
            find_target("", Given(None, place, url_env="APP_URL"), alone=True)
        assert caught.value.notes == [
            "the configuration names APP_URL, which is not set",
            "PGHOST says which server it is on; PGDATABASE is not set",
        ]


def test_variables_of_libpq_alone_name_a_database(tmp_path: Path) -> None:
    place = {"PGHOST": "h", "PGDATABASE": "d", "PGPASSWORD": SECRET, "PGTZ": "UTC"}
    for place_of, source in (
        (Given(None, place), "PGDATABASE"),
        (Given(None, {"PGHOST": "h"}, {**place, "PGHOST": "other"}), "PGDATABASE of .env"),
    ):
        target = find_target("", place_of, alone=True)
        assert conninfo_to_dict(target.url) == {"host": "h", "dbname": "d", "password": SECRET}
        assert target.source == source
        with pytest.raises(UsageError, match=f"{source} names one database") as caught:
            find_target("notes", place_of, alone=False)
        assert "name the folder that it is for in the command: notes" in str(caught.value.hint)
        assert conninfo_to_dict(find_target("notes", place_of, alone=True).url)["dbname"] == "d"


def test_a_url_in_place_of_a_name_is_not_repeated() -> None:
    given = Given(None, {"PGDATABASE": f"postgresql://u:{SECRET}@h/d"})
    with pytest.raises(UsageError, match="PGDATABASE holds a URL") as caught:
        find_target("", given, alone=True)
    assert SECRET not in repr(vars(caught.value))


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services"
    file.write_text("[whole]\nhost=h\ndbname=d\nport=5432\n[server]\nhost=h\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize("is_own", [True, False])
def test_a_service_names_a_database(monkeypatch: pytest.MonkeyPatch, is_own: bool) -> None:
    def given(**variables: str) -> Given:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Given(None, os.environ if is_own else variables)

    target = find_target("", given(PGSERVICE="whole", PGDATABASE="other"), alone=True)
    assert conninfo_to_dict(target.url)["dbname"] == "d"
    assert target.source == "PGSERVICE"
    with pytest.raises(UsageError, match="PGSERVICE names one database"):
        find_target("notes", given(PGSERVICE="whole"), alone=False)
    monkeypatch.delenv("PGDATABASE")
    assert (
        conninfo_to_dict(find_target("notes", given(PGSERVICE="server"), alone=False).url).get(
            "dbname"
        )
        == "notes"
    )
    with pytest.raises(UsageError, match="the service that PGSERVICE names does not say which"):
        find_target("", given(PGSERVICE="server"), alone=True)


@pytest.mark.usefixtures("services")
def test_a_service_in_a_url() -> None:
    one = Given("postgresql://?service=whole")
    assert conninfo_to_dict(find_target("", one, alone=True).url)["dbname"] == "d"
    with pytest.raises(UsageError, match="the service of the URL names one database"):
        find_target("notes", one, alone=False)
    none = find_target("notes", Given("service=server"), alone=False)
    assert conninfo_to_dict(none.url) == {"service": "server", "dbname": "notes"}
    # That there is no such service is said by the connection.
    assert find_target("notes", Given("service=gone"), alone=False).url == "service=gone"


@pytest.mark.usefixtures("services")
def test_a_service_says_more_than_the_file() -> None:
    dotenv = {"PGSERVICE": "whole", "PGHOST": "other", "PGPORT": "6000", "PGPASSWORD": SECRET}
    target = find_target("", Given(None, os.environ, dotenv), alone=True)
    assert conninfo_to_dict(target.url) == {"service": "whole", "password": SECRET, "dbname": "d"}


def test_a_service_file_has_to_be_in_the_environment() -> None:
    dotenv = {"PGSERVICE": "whole", "PGSERVICEFILE": "/nowhere"}
    with pytest.raises(UsageError, match=r"PGSERVICEFILE of \.env cannot be used"):
        find_target("", Given(None, os.environ, dotenv), alone=True)


def test_an_address_is_taken_from_one_place() -> None:
    dotenv = {"PGSSLMODE": "disable", "PGPASSWORD": SECRET, "PGHOST": "dev"}
    for place in (
        Given("postgresql:///d", {}, dotenv),
        Given(None, {"DATABASE_URL": "dbname=d"}, dotenv),
    ):
        assert conninfo_to_dict(find_target("", place, alone=True).url) == {"dbname": "d"}
    whole = Given(None, {"PGHOST": "h"}, {**dotenv, "DATABASE_URL": "dbname=d"})
    found = conninfo_to_dict(find_target("", whole, alone=True).url)
    assert found == {"dbname": "d", "host": "h", "password": SECRET, "sslmode": "disable"}


@pytest.mark.parametrize(
    ("dotenv", "environment"),
    [
        ({"DATABASE_URL": "postgresql://far.example/d"}, {}),
        ({"DATABASE_URL": "postgresql://localhost,far.example/d"}, {"PGHOST": "h"}),
        ({"DATABASE_URL": "postgresql:///d?hostaddr=192.0.2.1"}, {}),
        ({"PGHOST": "far.example", "PGDATABASE": "d"}, {}),
        ({"PGHOSTADDR": "192.0.2.1"}, {"PGDATABASE": "d"}),
    ],
    ids=str,
)
def test_the_password_of_the_environment_is_for_no_server_of_a_file(
    dotenv: dict[str, str], environment: dict[str, str]
) -> None:
    """A file comes with a checkout, and whoever listens there may ask for it in clear text."""
    given = Given(None, {**environment, "PGPASSWORD": SECRET}, dotenv)
    with pytest.raises(UsageError, match=r"PGPASSWORD of the environment is not sent to a server"):
        find_target("", given, alone=True)
    if "DATABASE_URL" in dotenv:
        own = dotenv["DATABASE_URL"].replace("//", "//u:own@")
        given = replace(given, dotenv={"DATABASE_URL": own})
        found = conninfo_to_dict(find_target("", given, alone=True).url)
        assert found["password"] == "own"
    near = {"PGHOST": "localhost", "PGDATABASE": "d"}
    found = conninfo_to_dict(find_target("", replace(given, dotenv=near), alone=True).url)
    assert found["password"] == SECRET


def test_a_file_does_not_lead_the_server_of_the_environment_elsewhere() -> None:
    environment = {"PGHOST": "h", "PGDATABASE": "d", "PGPASSWORD": SECRET}
    given = Given(None, environment, {"PGHOSTADDR": "192.0.2.1", "PGUSER": "u"})
    found = conninfo_to_dict(find_target("", given, alone=True).url)
    assert found == {"host": "h", "dbname": "d", "password": SECRET, "user": "u"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b", "b"),
        ("\ufeffA=b\n", "b"),
        ("export A='b c'", "b c"),
        ('A="x$y${HOME}z"', "x$y${HOME}z"),
        ("A=p#w", "p#w"),
        ("A=b # why", "b"),
        ("A=1\r\nA=2\r\n", "2"),
        ("A='two\nlines'", "two\nlines"),
        ("A=", ""),
        ("A", None),
        ("# A=b", None),
        ("", None),
    ],
)
def test_a_file_is_read_as_it_is(text: str, value: str | None, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(text, newline="")
    assert DotEnv(tmp_path / ".env").get("A") == value


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert not DotEnv(file)
    assert not DotEnv(None)
    for written, said, line in (
        (f"A=b\n\n\nURL='{SECRET}\nB=c\n".encode(), "a quote in it is not closed", 4),
        (f"{SECRET} is it\n".encode(), "is not NAME=VALUE", 1),
        (b"A=" + SECRET.encode() + b"\xff", r"is not UTF-8 \(byte 10\)", None),
    ):
        file.write_bytes(written)
        with pytest.raises(UsageError, match=said) as caught:
            DotEnv(file).get("A")
        assert caught.value.place is not None
        assert caught.value.place.line == line
        assert "--no-dotenv" in str(caught.value.hint)
        assert SECRET not in repr(vars(caught.value))
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        DotEnv(file).get("A")


@pytest.mark.parametrize("what", ["fifo", "device", "nul", "huge"])
def test_what_no_env_file_is(tmp_path: Path, what: str) -> None:
    """The first would be waited for without end, and of the second there is no end."""
    file = tmp_path / ".env"
    if what == "fifo":
        os.mkfifo(file)
    elif what == "device":
        file.symlink_to("/dev/zero")
    else:
        file.write_text("PGHOST=h\0.example.com\n" if what == "nul" else "A=b\n" * 30_000)
    said = {"nul": "holds a NUL byte", "huge": "more than 100,000 bytes"}
    with pytest.raises(UsageError, match=said.get(what, "it is no regular file")) as caught:
        DotEnv(file).get("PGHOST")
    assert "--no-dotenv" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_somebody_else_has_put_there(tmp_path: Path) -> None:
    for name, text in ((".env", "DATABASE_URL=postgresql://h/d\n"), ("pgvouch.toml", "")):
        (tmp_path / name).write_text(text)
        os.chown(tmp_path / name, 4321, 4321)
    below = tmp_path / "below"
    below.mkdir()
    with pytest.raises(UsageError, match=r"\.env belongs to another user"):
        DotEnv(tmp_path / ".env").get("DATABASE_URL")
    with pytest.raises(UsageError, match=r"pgvouch\.toml belongs to another user"):
        find_project(start=below)
    assert find_project(tmp_path / "pgvouch.toml").root == tmp_path
    os.chown(tmp_path, 4321, 4321)  # a checkout of theirs, in a container that runs as root
    assert DotEnv(tmp_path / ".env")
    assert find_project(start=below).root == tmp_path


def test_it_is_read_for_what_is_asked_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").mkdir()
    unreadable = DotEnv(tmp_path / ".env")
    given = Given(None, {"DATABASE_URL": "postgresql://h/d"}, unreadable)
    assert find_target("", given, alone=True).url == "postgresql://h/d"
    monkeypatch.setenv("APP_PASSWORD", "p")
    values = given_variables({"x": "1"}, unreadable)
    assert (values["x"], values["app_password"]) == ("1", "p")
    with pytest.raises(UsageError):
        values.get("other")


def test_a_variable_of_a_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("APP_PASSWORD=file\nlower=l\nTHERE=file\n")
    monkeypatch.setenv("THERE", "environment")
    values = given_variables({}, DotEnv(tmp_path / ".env"))
    found = [values.get(name) for name in ("app_password", "lower", "there", "none")]
    assert found == ["file", "l", "environment", None]

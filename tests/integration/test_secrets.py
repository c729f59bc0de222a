"""No part of a connection string that may hold a password is ever printed."""

import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Folder
from pgvouch.address.conninfo import parts_of
from pgvouch.errors import UsageError

SECRET = "S3krItX"
UNREADABLE = {
    "a slash": f"postgresql://u:{SECRET[:3]}/{SECRET[3:]}@127.0.0.1:1/x",
    "digits ahead of a slash": f"postgresql://u:12/{SECRET}@127.0.0.1:1/x",
    "an at sign": f"postgresql://u:p@{SECRET}@127.0.0.1:1/x",
    "a question mark after a slash": f"postgresql://u:a/?{SECRET}=b@127.0.0.1:1/x",
    "a known parameter in the password": f"postgresql://u:1/a?user={SECRET}@127.0.0.1:1/x",
    "a bad percent sign": f"postgresql://u:%{SECRET}@127.0.0.1:1/x",
    "a zero byte": f"postgresql://u:%00{SECRET}@127.0.0.1:1/x",
    "a bracket": f"postgresql://[u:{SECRET}/@127.0.0.1:1/x",
    "a scheme that is not SQLAlchemy's": f"postgresql+ssh://u:{SECRET}@127.0.0.1:1/x",
    "a slash behind a scheme of SQLAlchemy": f"postgresql+asyncpg://u:{SECRET[:3]}/{SECRET[3:]}@127.0.0.1:1/x",
    "another scheme": f"mysql://u:{SECRET}@127.0.0.1:1/x",
    "a scheme in capitals": f"POSTGRESQL://u:{SECRET}@127.0.0.1:1/x",
    "no scheme": f"u:{SECRET}@127.0.0.1:1/x",
    "a schema": f"postgresql://u:{SECRET}@127.0.0.1:1/x?pgbouncer=true&schema=app",
    "a schema that may be a secret": f"postgresql://u@127.0.0.1:1/x?currentSchema={SECRET}",
    "a timeout": f"postgresql://u:{SECRET}@127.0.0.1:1/x?statement_timeout=5",
    "hosts of SQLAlchemy": f"postgresql+psycopg2://u:{SECRET}@/x?host=127.0.0.1:1&host={SECRET}:2",
    "encryption that is not known": f"postgresql://u:{SECRET}@127.0.0.1:1/x?ssl=no-verify",
    "a certificate to be looked at": f"postgresql://u:{SECRET}@127.0.0.1:1/x?sslaccept=strict",
    "a known parameter without a value": f"postgresql://u:{SECRET}@127.0.0.1:1/x?user&pgbouncer=true",
    "an unknown parameter": f"postgresql://u@127.0.0.1:1/x?{SECRET}=1",
    "a parameter without a value": f"postgresql://u@127.0.0.1:1/x?{SECRET}",
    "a password with a blank": f"host=127.0.0.1 port=1 dbname=x password=a {SECRET}",
    "a password with a blank and =": f"host=127.0.0.1 port=1 dbname=x password=a {SECRET}=b",
    "a password with a quote": f"host=127.0.0.1 port=1 dbname=x password='a'{SECRET}'",
    "a port that is none": f"postgresql://127.0.0.1:{SECRET}/x",
    "a URL as the database": f"host=127.0.0.1 dbname=postgresql://u:{SECRET}@h/x",
    "a value that cannot be": f"postgresql://u@127.0.0.1:1/x?sslmode={SECRET}",
    "a time that cannot be": f"postgresql://u@127.0.0.1:1/x?connect_timeout={SECRET}",
    "a number that cannot be": f"postgresql://u@127.0.0.1:1/x?keepalives_idle={SECRET}",
}  # fmt: skip


def _has_part(text: str, secret: str) -> bool:
    return any(secret[i : i + 4] in text for i in range(max(len(secret) - 3, 0)))


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("command", ["migrate", "status", "wait"])
def test_what_cannot_be_read_is_not_repeated(folder: Folder, case: str, command: str) -> None:
    folder.write({"001_a.sql": "select 1;"})
    ran = folder(command, url=UNREADABLE[case])
    assert ran.code == 2, ran.err
    assert not _has_part(ran.out + ran.err, SECRET)
    assert "next" in ran.err
    ran = folder(command, "--json", url=UNREADABLE[case])
    assert '"kind": "usage"' in ran.out
    assert not _has_part(ran.out + ran.err, SECRET)


@pytest.mark.parametrize("command", [["entrypoint", "--", "true"], ["migrate"], ["accept-delta"]])
def test_from_the_environment_too(
    folder: Folder, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from pgvouch.cli import main

    folder.path = folder.path / "notes"
    folder.path.mkdir()
    folder.write({"001_a.sql": "select 1;"})
    for name in ("DATABASE_URL", "DATABASE_URL_NOTES"):
        code = main.run(
            [command[0], "--migrations", str(folder.path.parent), *command[1:]],
            {name: UNREADABLE["a slash"]},
        )
        out, err = capsys.readouterr()
        assert code == 2
        assert f"the URL in {name} cannot be read" in err
        assert not _has_part(out + err, SECRET)


def test_the_place_of_the_mistake_is_said(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    for url, at in (
        ("postgresql://u:se/cret@host/db", 18),
        ("postgresql://u:p@ss@host/db", 17),
        ("postgresql://u:s%zz@host/db", 17),
        ("postgresql://host/db?user=me@corp", 29),
        ("postgresql+psycopg2://u:se/cret@host/db?pgbouncer=true", 27),
        ("postgresql+psycopg2://u:s%zz@host/db", 26),
    ):
        assert f"it is character {at} of it" in folder("migrate", url=url).err


def test_other_bytes_than_of_utf8(folder: Folder) -> None:
    """psycopg decodes all that is in a connection string."""
    folder.write({"001_a.sql": "select 1;"})
    for url, at in (
        ("postgresql+psycopg2://u:se%90cret@host/db", 27),
        ("postgresql://u:%C3%A4%C3%28@host/db", 22),
        ("postgresql://u:se\udc90cret@host/db", 18),
        ("host=h password=se\udc90cret", 19),
    ):
        ran = folder("migrate", url=url)
        assert ran.code == 2
        assert "the URL in --url cannot be read: there are bytes" in ran.err
        assert f"they begin at character {at} of it" in ran.err
        assert not _has_part(ran.err, "cret@")
    for fine in ("postgresql://u:%C3%A4@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=%90"):
        assert folder("status", url=fine).code == 5


def test_urls_of_others_are_told_apart(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    assert (
        "behind a `+`" in folder("migrate", url=UNREADABLE["a scheme that is not SQLAlchemy's"]).err
    )
    ran = folder("migrate", url=UNREADABLE["a schema"])
    assert "names a schema with `schema`" in ran.err
    assert "options=-csearch_path%3DNAME" in ran.err
    assert "--statement-timeout" in folder("migrate", url=UNREADABLE["a timeout"]).err
    assert "`host` more than once" in folder("migrate", url=UNREADABLE["hosts of SQLAlchemy"]).err
    assert "`sslaccept`" in folder("migrate", url=UNREADABLE["a certificate to be looked at"]).err
    assert "number 1 after the `?`" in folder("migrate", url=UNREADABLE["an unknown parameter"]).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["migrate", f"postgresql://u:{SECRET}@h/d"],
        [f"postgresql://u:{SECRET}@h/d", "migrate"],
        [f"--uri=postgresql://u:{SECRET}@h/d", "migrate"],
        ["migrate", "--retries", f"postgresql://u:{SECRET}@h/d"],
        ["migrate", "--url", "postgresql://h/d", f"host=h password={SECRET}"],
    ],
)
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_url_at_the_wrong_place(
    folder: Folder, arguments: list[str], json: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from pgvouch.cli import main

    folder.write({"001_a.sql": "select 1;"})
    assert main.run([*arguments, *json], {}) == 2
    out, err = capsys.readouterr()
    assert not _has_part(out + err, SECRET)


def test_a_service_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder.root / "services"
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    folder.write({"001_a.sql": "select 1;"})
    for text, code in (
        (f"[s]\nhost=127.0.0.1\nport=1\npassword={SECRET}\n", 5),
        (f"[s]\nhost=127.0.0.1\nport={SECRET}\n", 2),
        (f"[s]\nhost=u:{SECRET}@nowhere.invalid\n", 5),
        (f"[s]\nsslmode={SECRET}\n", 2),
        (f"[s]\n{SECRET}\n", 2),
        (f"[s]\n{SECRET}=1\n", 2),
        (f"[{SECRET}\n", 2),
        ("[s]\nhost=127.0.0.1\nport=1\npassword=\udcff\n", 5),
        (f"[s]\nhost=127.0.0.1\nport=1\npassword={SECRET}\nuser=\udcff\n", 2),
    ):
        file.write_text(text, errors="surrogateescape")
        ran = folder("status", url="service=s")
        assert not _has_part(ran.out + ran.err, SECRET), text
        assert ran.code == code, ran.err


SPECIAL = st.text(st.sampled_from(string.punctuation + " äß🐘\t\n"), min_size=0, max_size=4)
PIECE = st.text(st.sampled_from("QXZ0479"), min_size=1, max_size=6)
PASSWORDS = st.lists(st.tuples(PIECE, SPECIAL), min_size=1, max_size=4).map(
    lambda pieces: "".join(a + b for a, b in pieces)
)
FORMS = {
    "in a URL": "postgresql://u:{}@127.0.0.1:1/x",
    "in a URL without a database": "postgresql://u:{}@127.0.0.1:1",
    "as a parameter": "postgresql://u@127.0.0.1:1/x?password={}",
    "a keyword": "host=127.0.0.1 port=1 dbname=x password={}",
    "a quoted keyword": "host=127.0.0.1 port=1 dbname=x password='{}'",
    "SQLAlchemy's": "postgresql+asyncpg://u:{}@127.0.0.1:1/x",
    "no scheme": "u:{}@127.0.0.1:1/x",
}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(password=PASSWORDS, form=st.sampled_from(sorted(FORMS)), encoded=st.booleans())
def test_no_password_in_any_form(folder: Folder, password: str, form: str, encoded: bool) -> None:
    folder.write({"001_a.sql": "select 1;"})
    written = quote(password, safe="") if encoded else password
    url = FORMS[form].format(written)
    for more in ([], ["--json"]):
        ran = folder("status", *more, url=url)
        assert ran.code in {2, 5}
        # The address may have four letters in common with a password.
        said = (ran.out + ran.err).replace("127.0.0.1", "here")
        assert not _has_part(said, password)
        assert not _has_part(said, written)


@settings(max_examples=200, deadline=None)
@given(password=PASSWORDS)
def test_an_encoded_password_is_read_as_it_is(password: str) -> None:
    url = f"postgresql://u:{quote(password, safe='')}@127.0.0.1:1/x"
    assert parts_of(url)["password"] == password
    keywords = password.replace("\\", "\\\\").replace("'", "\\'")
    assert parts_of(f"host=h password='{keywords}'")["password"] == password


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgres://h",
        "postgresql://h1:1,h2:2/d?target_session_attrs=read-write",
        "postgresql://%2Ftmp/d",
        "postgresql:///d?host=/tmp&port=5433",
        "postgresql://me%40corp:p%40ss@[::1]:5432/d%2Fe",
        "postgresql://u:a?b#c:d,e[f@h/d",
        "host=@/abstract dbname=d",
        "dbname=d user=me@corp",
        "service=s",
        "",
    ],
)
def test_what_can_be_read(url: str) -> None:
    assert "password" not in parts_of(url) or parts_of(url)["user"] in {"u", "me@corp"}


def test_it_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the URL in --url cannot be read"):
        parts_of("postgresql://u:a/b@h", "--url")

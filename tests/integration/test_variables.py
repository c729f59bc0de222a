"""psql variables that a file declares: psql's quoting, and a value that is never shown or stored."""

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Folder, Server

SECRET = 's3cr\'t \\ "x"'


def test_each_way_to_use_one(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- var: word\n-- var: name\n-- var: number\n"
            'create table :"name" (t text, n int);\n'
            "insert into :\"name\" values (:'word', :number), (':word', 2), ($$:'word'$$, 3);\n"
            "select 'x'::text, (array[1,2,3])[1:2], :nothing from (select 1) as t(nothing)\n"
        }
    )
    ran = folder("migrate", "--var", f"word={SECRET}", "--var", 'name=a "b"', "--var", "number=1")
    assert ran.code == 1
    assert "001_a.sql:6:" in ran.err
    assert SECRET not in ran.err
    folder.write(
        {"001_a.sql": (folder.path / "001_a.sql").read_text().replace(":nothing", "nothing")}
    )
    ran = folder("migrate", "--var", f"word={SECRET}", "--var", 'name=a "b"', "--var", "number=1")
    assert ran.code == 0, ran.err
    assert folder.query('select t, n from "a ""b""" order by n') == [
        (SECRET, 1),
        (":word", 2),
        (":'word'", 3),
    ]
    assert folder.query("select count(*) from pgvouch.migration m where m::text like '%s3cr%'") == [
        (0,)
    ]


def test_from_the_environment(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write({"001_a.sql": "-- var: app_password\nselect :'app_password';"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "APP_PASSWORD" in ran.err
    monkeypatch.setenv("APP_PASSWORD", "x")
    assert folder("migrate").code == 0


def test_a_value_is_masked_in_what_the_server_says(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- var: secret\nselect :'secret'::int;"})
    ran = folder("migrate", "--var", "secret=hunter2")
    assert ran.code == 1
    assert "hunter2" not in ran.err + ran.out
    assert "***" in ran.err
    assert "| select :'secret'::int" in ran.err


def test_in_a_rollback(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "001_a.rollback.sql": '-- var: name\ndrop table :"name";',
        }
    )
    folder("migrate")
    assert folder("rollback").code == 2
    assert folder("rollback", "--var", "name=a").code == 0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
)
def test_quoting_is_psql_s(pg18: Server, value: str) -> None:
    from pgvouch.variables import quote_identifier, quote_literal

    done = subprocess.run(
        [pg18.bin / "psql", pg18.url("postgres"), "-qAtX", "-v", f"v={value}"],
        input=b"\\echo :'v' :\"v\"\n",
        capture_output=True,
        check=True,
    )
    said = done.stdout.decode().removesuffix("\n")
    assert said.lstrip(" ") == f"{quote_literal(value)} {quote_identifier(value)}".lstrip(" ")

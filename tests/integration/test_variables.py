"""psql variables that a file declares: psql's quoting, and a value that is never shown or stored."""

import subprocess
from pathlib import Path

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
    from pgvouch.errors import Place
    from pgvouch.files.variables import render

    done = subprocess.run(
        [pg18.bin / "psql", pg18.url("postgres"), "-qAtX", "-v", f"v={value}"],
        input=b"\\echo :'v' :\"v\"\n",
        capture_output=True,
        check=True,
    )
    said = done.stdout.decode().removesuffix("\n")
    ours = render(":'v' :\"v\"", ("v",), {"v": value}, Place(Path("f.sql"))).text
    assert said.lstrip(" ") == ours.lstrip(" ")


VALUE = 'hunter2\'s \\ "x"'


def _declared(sql: str) -> str:
    return f"-- var: pw\n{sql}"


SAYING = {
    "a notice": "do $$begin raise notice '%', current_setting('a.b'); end$$;",
    "a warning": "do $$begin raise warning '%', current_setting('a.b'); end$$;",
    "an error": "do $$begin raise '%', current_setting('a.b') using detail = current_setting('a.b'), "
    "hint = current_setting('a.b'); end$$;",
    "a context": "do $$begin execute 'select 1/0 /*' || current_setting('a.b') || '*/'; end$$;",
    "an array in an error": "do $$begin raise '%', array[current_setting('a.b')]; end$$;",
    "a row in an error": "do $$begin raise '%', row(current_setting('a.b')); end$$;",
    "a quoted literal": "do $$begin raise '%', quote_literal(current_setting('a.b')); end$$;",
    "a name": "do $$begin raise '%', quote_ident(current_setting('a.b')); end$$;",
}


@pytest.mark.parametrize("case", SAYING)
def test_a_value_that_comes_back_is_masked(folder: Folder, case: str) -> None:
    folder.write({"001_a.sql": _declared("set a.b = :'pw';\n" + SAYING[case])})
    for more in (["-v"], ["--json"]):
        ran = folder("migrate", *more, "--var", f"pw={VALUE}")
        assert "hunter2" not in ran.out + ran.err
    if ran.code:
        assert "***" in ran.out


def test_a_long_value_that_the_server_cuts(folder: Folder) -> None:
    value = "".join(f"{n:04}" for n in range(100))
    folder.write(
        {
            "001_a.sql": _declared(
                "create table t (a text, b int not null); insert into t values (:'pw', null);"
            )
        }
    )
    ran = folder("migrate", "--var", f"pw={value}")
    assert "Failing row contains (***..., null)" in ran.err
    assert value[:8] not in ran.err


def test_a_value_is_masked_in_what_a_check_has_found(folder: Folder) -> None:
    value = "y" * 50 + "hunter2" * 3
    folder.write(
        {
            "001_a.sql": _declared("create table t as select :'pw'::text as x;"),
            "verify/001_a.sql": "-- check none: rows\nselect x, 'a' || x from t;\n",
        }
    )
    ran = folder("migrate", "--var", f"pw={value}")
    assert ran.code == 1
    assert "found    (***, a***)" in ran.err
    folder.write({"verify/001_a.sql": "-- check: an error\nselect x::int from t;\n"})
    ran = folder("migrate", "--json", "--var", f"pw={value}")
    assert "yyyy" not in ran.out + ran.err


def test_a_value_never_stands_in_a_delta(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);",
            "002_b.sql": _declared("create table b (n text default :'pw');"),
            "verify/002_b.delta": "+ table public.b\n",
        }
    )
    ran = folder("migrate", "--var", f"pw={VALUE}")
    assert ran.code == 1
    assert "hunter2" not in ran.err
    assert "default '***'" in ran.err
    ran = folder("accept-delta", "2", "-v", "--var", f"pw={VALUE}")
    assert ran.code == 2
    assert "the value of a variable would stand in it" in ran.err
    assert "hunter2" not in ran.out + ran.err
    assert (folder.path / "verify/002_b.delta").read_text() == "+ table public.b\n"
    assert folder("accept-delta", "1", "--var", f"pw={VALUE}").code == 0


def test_a_value_is_not_stored_with_the_delta_of_a_rehearsal(folder: Folder) -> None:
    folder.write(
        {
            "001_b.sql": _declared("create table b (n text default :'pw');"),
            "001_b.rollback.sql": "select 1;",
        }
    )
    ran = folder("migrate", "--rehearse", "--json", "--var", f"pw={VALUE}")
    assert ran.code == 1
    assert "left over:" in ran.out
    assert "hunter2" not in ran.out


def test_verify_knows_the_values_of_the_environment(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", VALUE)
    folder.write(
        {
            "001_a.sql": _declared("create table t (x text);"),
            "verify/001_a.sql": "-- check none: rows\nselect x from t;\n",
        }
    )
    assert folder("migrate").code == 0
    import psycopg

    with psycopg.connect(folder.url) as connection:
        connection.execute("insert into t values (%s)", [VALUE])
    ran = folder("verify")
    assert ran.code == 1
    assert "(***)" in ran.out


def test_a_value_in_capitals_is_masked_too(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- var: word\ndo $$begin raise '%', upper('s3cr3tword'); end$$; select :'word';"
        }
    )
    ran = folder("migrate", "--var", "word=s3cr3tword")
    assert ran.code == 1
    assert "S3CR3TWORD" not in ran.err
    assert "***" in ran.err

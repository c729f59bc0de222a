"""actors.toml, `-- check as …:`, `-- let:` and the short `-- same:`, read without a server."""

from pathlib import Path

import pytest

from pgvouch.errors import FileError
from pgvouch.files.actors import Actors, read_actors
from pgvouch.files.promises import Kind, Promises, parse

ANN = """
[ann]
id = "5afe0000-0000-4000-8000-00000000000a"
role = "authenticated"
claims = { sub = "{id}", role = "authenticated", app = { ids = ["{id}", 1] } }
settings = { "app.tenant" = 42, "app.is_admin" = false }

[visitor]
role = "anon"

[worker]
id = -7
role = 'a "b"'
settings = { "app.user" = "user {id}" }
"""


def _actors(tmp_path: Path, text: str, inherited: Actors | None = None) -> Actors:
    path = tmp_path / "actors.toml"
    path.write_text(text)
    return read_actors(path, inherited)


def _parse(tmp_path: Path, text: str) -> Promises:
    return parse(text, tmp_path / "001_a.sql", _actors(tmp_path, ANN))


def test_an_actor_is_a_role_with_claims_and_settings(tmp_path: Path) -> None:
    ann, visitor, worker = _actors(tmp_path, ANN).all
    assert ann.acting_sql == (
        "select pg_catalog.set_config('app.tenant', '42', true), "
        "pg_catalog.set_config('app.is_admin', 'off', true), "
        "pg_catalog.set_config('request.jwt.claims', "
        '\'{"sub": "5afe0000-0000-4000-8000-00000000000a", "role": "authenticated", '
        '"app": {"ids": ["5afe0000-0000-4000-8000-00000000000a", 1]}}\', true)',
        "select pg_catalog.set_config('role', 'authenticated', true)",
    )
    assert visitor.acting_sql == ("select pg_catalog.set_config('role', 'anon', true)",)
    assert worker.settings == (("app.user", "user -7"),)
    assert (ann.place.line, visitor.place.line, worker.place.line) == (2, 8, 11)


def test_a_database_replaces_an_actor_of_its_platform_and_keeps_the_others(tmp_path: Path) -> None:
    shared = _actors(tmp_path, ANN)
    own = _actors(tmp_path, '[ann]\nrole = "member"\n[bob]\nrole = "member"\n', shared)
    assert [(a.name, a.role, a.id) for a in own.all] == [
        ("ann", "member", None),
        ("visitor", "anon", None),
        ("worker", 'a "b"', -7),
        ("bob", "member", None),
    ]
    assert read_actors(tmp_path / "none.toml", shared) is shared


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("[ann\n", "is not TOML", 1),
        ("ann = 1", "ann is not an actor", 1),
        ('["a b"]\nrole = "x"', "a name is letters, digits and _", 1),
        ('[bob]\nrole = "x"\n[ann]\nrolle = "x"', "did you mean role?", 3),
        ('[ann]\nrole = ""', "the role of ann is a role's name", 1),
        ('[ann]\nrole = "none"', "the role of ann is a role's name", 1),
        ('[ann]\nrole = ["x"]', "the role of ann is a role's name", 1),
        ('[ann]\nid = true\nrole = "x"', "the id of ann is a text or a number", 1),
        ('[ann]\nid = ""\nrole = "x"', "the id of ann is a text or a number", 1),
        ("[ann]\n", "neither a role nor an id", 1),
        ('[ann]\nrole = "x"\nbypasses_rls = 1', "bypasses_rls of ann is true or false", 1),
        ('[ann]\nrole = "x"\nclaims = "{}"', "claims of ann is not a table", 1),
        ('[ann]\nrole = "x"\nclaims = { sub = "{id}" }', "no id", 1),
        ('[ann]\nrole = "x"\nclaims = { at = 2025-01-01 }', "what JSON has no word for", 1),
        ('[ann]\nrole = "x"\nclaims = { at = nan }', "what JSON has no word for", 1),
        ('[ann]\nrole = "x"\nsettings = { "role" = "y" }', "is not a setting", 1),
        ('[ann]\nrole = "x"\nsettings = { "a b" = "y" }', "is not a setting", 1),
        ('[ann]\nrole = "x"\nsettings.app.tenant = "y"', "is a text or a number", 1),
        ('[ann]\nrole = "x"\nid = "a\\u0000b"', "holds a NUL", 1),
        ('[ann]\nrole = "a\\u0000b"', "the role of ann is a role's name", 1),
        (
            '[ann]\nrole = "x"\nclaims = {}\nsettings = { "request.jwt.claims" = "" }',
            "and the setting request.jwt.claims too",
            1,
        ),
    ],
)
def test_what_is_no_actor_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str, line: int
) -> None:
    with pytest.raises(FileError, match=message.replace("?", r"\?")) as caught:
        _actors(tmp_path, text)
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "actors.toml").write_bytes(b"\xff")
    with pytest.raises(FileError, match="not UTF-8"):
        read_actors(tmp_path / "actors.toml")
    with pytest.raises(FileError, match="directory"):
        read_actors(tmp_path)


def test_each_kind_of_check_has_an_actor(tmp_path: Path) -> None:
    found = _parse(
        tmp_path,
        "-- check as ann: one\nselect true;\n"
        "-- check  none  as  ann: two\nselect 1 where false;\n"
        "-- check error 42501 as visitor: three\nselect 1;\n"
        "-- check: as before\nselect true;\n",
    )
    assert [
        (c.kind, c.turns[0].actor and c.turns[0].actor.name, c.sqlstate) for c in found.checks
    ] == [
        (Kind.TRUE, "ann", None),
        (Kind.NONE, "ann", None),
        (Kind.ERROR, "visitor", "42501"),
        (Kind.TRUE, None, None),
    ]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("check as anne", "there is no actor anne; did you mean ann?"),
        ("check as zoe", "there is no actor zoe"),
        ("check by ann", "would check nothing"),
        ("Check as ann", "would check nothing"),
        ("check ann", "would check nothing"),
        ("check as", "would check nothing"),
        ("check none by ann", "would check nothing"),
        ("check error as ann", "needs a SQLSTATE"),
        ("check error 42501 by ann", "would check nothing"),
        ("check error 42501 as", "would check nothing"),
        ("same as ann", "would check nothing"),
        ("as ann", "would check nothing"),
        ("As Visitor", "would check nothing"),
    ],
)
def test_near_misses_and_unknown_actors_are_refused(
    tmp_path: Path, head: str, message: str
) -> None:
    with pytest.raises(FileError, match=message.replace("?", r"\?")) as caught:
        _parse(tmp_path, f"-- check: one\nselect true;\n-- {head}: two\nselect true;\n")
    assert caught.value.place is not None
    assert caught.value.place.line == 3


def test_a_check_goes_on_as_somebody_else(tmp_path: Path) -> None:
    found = _parse(
        tmp_path,
        "-- check: one\n-- until: 002_b\nupdate t set x = 1;\n-- as: ann\nselect :'ann';\n"
        "-- as: visitor\n-- as follows: a comment\nselect true;\n-- check as ann: two\nselect true;\n",
    )
    turns = [
        [(turn.actor and turn.actor.name, turn.query.sql.split("\n")[-2]) for turn in check.turns]
        for check in found.checks
    ]
    uuid = "5afe0000-0000-4000-8000-00000000000a"
    assert turns == [
        [
            (None, "update t set x = 1;"),
            ("ann", f"select '{uuid}';"),
            ("visitor", "select true;"),
        ],
        [("ann", "select true;")],
    ]
    assert found.checks[0].until == "002_b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- as: ann\nselect 1;\n-- check: one\nselect true;\n", "belongs to no check"),
        ("-- check: one\n-- as: ann\nselect true;\n", "nothing is done above `-- as: ann`"),
        ("-- check: one\nselect true;\n-- as: ann\n", "nothing is done as ann"),
        ("-- check: one\nselect true;\n-- as: anne\nselect true;\n", "did you mean ann"),
        ("-- check: one\nselect true;\n-- as:\nselect true;\n", "there is no actor"),
        ("-- same: one\nselect true;\n-- as: ann\nselect true;\n", "`-- same:` is none"),
    ],
)
def test_a_turn_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        _parse(tmp_path, text)


def test_an_actor_without_a_role_cannot_act(tmp_path: Path) -> None:
    actors = _actors(tmp_path, '[ann]\nid = "1"\n')
    with pytest.raises(FileError, match="ann has no role"):
        parse("-- check as ann: one\nselect true;\n", tmp_path / "001_a.sql", actors)


@pytest.mark.parametrize(
    ("literal", "quoted", "bare"),
    [
        ("'x'", "'x'", "'x'"),
        ("'it''s'", "'it''s'", "'it''s'"),
        ("'5afe0000-0000-4000-8000-00000000000a'::uuid", None, None),
        ("'x'::public.\"A b\" -- so", "'x'", "'x'::public.\"A b\""),
        (r"E'a\nb'", "'a\nb'", r"E'a\nb'"),
        ("$$a'b$$", "'a''b'", "$$a'b$$"),
        ("42", "'42'", "42"),
        ("-1", "'-1'", "(-1)"),
        ("1.50::numeric(10, 2)", "'1.50'", "1.50::numeric(10, 2)"),
        ("12345678901234567890", "'12345678901234567890'", "12345678901234567890"),
        ("true", "'true'", "true"),
        ("date '2025-01-31'", "'2025-01-31'", "date '2025-01-31'"),
        ("'{a,b}'::text[]", "'{a,b}'", "'{a,b}'::text[]"),
    ],
)
def test_let_names_a_literal(
    tmp_path: Path, literal: str, quoted: str | None, bare: str | None
) -> None:
    quoted = quoted or literal.removesuffix("::uuid")
    found = _parse(
        tmp_path,
        f"-- let: it = {literal}\ncreate table t ();\n-- check: one\nselect :'it', :it, :its, a[1:it];\n",
    )
    assert found.checks[0].turns[0].query.sql.strip() == (
        f"select {quoted}, {bare or literal}, :its, a[1{bare or literal}];"
    )


@pytest.mark.parametrize(
    ("let", "message"),
    [
        ("it", "names no value"),
        ("it =", "has no literal: nothing"),
        ("a b = 1", "names no value"),
        ("1 = 1", "names no value"),
        ("it = now()", "has no literal"),
        ("it = null", "has no literal"),
        ("it = 1 + 1", "has no literal"),
        ("it = 1, 2", "has no literal"),
        ("it = 1 as x", "has no literal"),
        ("it = 1 from t", "has no literal"),
        ("it = 1 union select 2", "has no literal"),
        ("it = 1; drop table t", "has no literal"),
        ("it = (select 1)", "has no literal"),
        ("it = 'x", "has no literal"),
        ("it = b'1'", "has no literal"),
        ("it = row(1)", "has no literal"),
        ("it = array[1]", "has no literal"),
        ("it = 'x'::text::int", "has no literal"),
        ("ann = 'x'", "is the name of an actor"),
        ("one = 2", "has a value already"),
    ],
)
def test_what_let_cannot_say_is_refused(tmp_path: Path, let: str, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        _parse(tmp_path, f"-- let: one = 1\n-- let: {let}\n-- check: one\nselect true;\n")
    assert caught.value.place is not None
    assert caught.value.place.line == 2


def test_let_stands_above_the_checks(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="behind a check"):
        _parse(tmp_path, "-- check: one\nselect true;\n-- let: it = 1\n")
    with pytest.raises(FileError, match="names no check"):
        _parse(tmp_path, "-- let: it = 1\n")


def test_values_are_filled_in_everywhere_and_nowhere_else(tmp_path: Path) -> None:
    found = _parse(
        tmp_path,
        "insert into t values (:'ann');\n-- check: one\n"
        """select :'ann', :"ann", :worker, ':ann', $$ :'ann' $$, x::ann, :'bob', :'annette' -- :ann\n"""
        "-- same: two\n-- before:\nselect :'ann'\n-- after:\nselect :'ann';\n",
    )
    uuid = "5afe0000-0000-4000-8000-00000000000a"
    assert found.setup is not None
    assert found.setup.sql == f"insert into t values ('{uuid}');\n"
    one, two = found.checks
    assert one.turns[0].query.sql.strip() == (
        f"""select '{uuid}', "{uuid}",  -7, ':ann', $$ :'ann' $$, x::ann, :'bob', :'annette' -- :ann"""
    )
    assert two.before is not None
    assert f"'{uuid}'" in two.before.sql
    assert f"'{uuid}'" in two.turns[0].query.sql


def test_a_transaction_statement_is_refused_beside_a_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="COMMIT"):
        _parse(tmp_path, "-- check: one\nselect :'ann';\ncommit;\n")


def test_one_query_serves_before_and_after(tmp_path: Path) -> None:
    found = _parse(
        tmp_path,
        "-- same: one\nselect 1;\n-- same: two\n-- until: 002_b\nselect 2;\n"
        "-- same: three\nselect 3;\n-- until: 002_b\n",
    )
    for check, query in zip(found.checks, ("select 1;", "select 2;", "select 3;"), strict=True):
        assert check.before == check.turns[0].query
        assert query in check.turns[0].query.sql


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- same: one\n", "needs a query"),
        ("-- same: one\n-- before:\nselect 1;\n", "needs a query under `-- after:`"),
        ("-- same: one\n-- after:\nselect 1;\n", "needs a query under `-- before:`"),
        (
            "-- same: one\nselect 0;\n-- before:\nselect 1;\n-- after:\nselect 1;\n",
            "has a query above",
        ),
    ],
)
def test_a_same_that_is_not_whole_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        _parse(tmp_path, text)

"""Names and values as SQL, without a server; tests/integration compares with the server's own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from postgast import pg_query_pb2, scan

from pgvouch.stamp import quoting
from pgvouch.stamp.quoting import BadValueError
from support.stamp_bench import ODD_NAMES, names


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("projects", "projects"),
        ("_a9", "_a9"),
        ("select", '"select"'),
        ("between", '"between"'),
        ("left", '"left"'),
        ("name", "name"),
        ("Projects", '"Projects"'),
        ("a$b", '"a$b"'),
        ("9a", '"9a"'),
        ("é", '"é"'),
        ('a"b', '"a""b"'),
        ("", '""'),
        ("a\n", '"a\n"'),
    ],
)
def test_quote_ident(name: str, quoted: str) -> None:
    assert quoting.quote_ident(name) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a", "'a'"), ("", "''"), ("it's", "'it''s'"), ("a\\b", "E'a\\\\b'"), ("a\nb", "'a\nb'")],
)
def test_quote_literal(text: str, quoted: str) -> None:
    assert quoting.quote_literal(text) == quoted


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (-3, "-3"),
        ("it's", "'it''s'"),
        ("a\n\r\t\x01'\\\u202e\U000e0001", r"E'a\n\r\t\u0001''\\\u202e\U000e0001'"),
    ],
)
def test_a_literal_stays_on_one_line(value: str | int | None, sql: str) -> None:
    assert quoting.literal(value) == sql


def test_an_identifier_stays_on_one_line() -> None:
    assert quoting.identifier('a\n"b\\') == r'U&"a\000a""b\\"'
    assert quoting.identifier("\U000e0001") == r'U&"\+0e0001"'


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "cannot be empty"),
        ("a\0b", "NUL"),
        ("a\ud800", "surrogate"),
        ("x" * 64, "64 bytes long; PostgreSQL would cut it to 63"),
        ("é" * 32, "64 bytes long"),
        ("a\n" * 40, "a<U+000A>a"),
    ],
)
def test_a_name_that_cannot_be(name: str, message: str) -> None:
    with pytest.raises(BadValueError) as caught:
        quoting.identifier(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_that_cannot_be() -> None:
    with pytest.raises(BadValueError, match="NUL"):
        quoting.literal("a\0b")


@given(names())
@example("\ue000private\ue001")
def test_a_sentence_keeps_to_its_line(name: str) -> None:
    seen = quoting.visible(name)
    assert len(f"-- check: {seen} is there".splitlines()) == 1
    [token] = scan(f"-- {seen}").tokens
    assert token.token == pg_query_pb2.SQL_COMMENT
    assert "\ue000" not in seen


def read_back(sql: str) -> tuple[str, str]:
    """What PostgreSQL's parser takes `sql` for, as an identifier and as a constant."""
    from postgast import parse

    target = parse(f"select {sql}").stmts[0].stmt.select_stmt.target_list[0].res_target.val
    kind = target.WhichOneof("node")
    if kind == "column_ref":
        return "name", target.column_ref.fields[0].string.sval
    return "text", target.a_const.sval.sval


@given(names())
def test_postgresql_reads_back_every_name_and_text(name: str) -> None:
    assert read_back(quoting.identifier(name)) == ("name", name)
    assert read_back(quoting.quote_ident(name)) == ("name", name)
    assert read_back(quoting.literal(name)) == ("text", name)
    assert read_back(quoting.quote_literal(name)) == ("text", name)
    assert len(quoting.identifier(name).splitlines()) == 1
    assert len(quoting.literal(name).splitlines()) == 1


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_odd_name(name: str) -> None:
    assert read_back(quoting.identifier(name)) == ("name", name)


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        sql = quoting.identifier(text)
    except BadValueError:
        assert not text or "\0" in text or len(text.encode("utf-8", "surrogatepass")) > 63
    else:
        assert read_back(sql) == ("name", text)

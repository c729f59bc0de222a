"""The stamp line is a literal call; every error points at the character that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.errors import StampError
from pgvouch.stamp.call import Call, SourceLine, parse_call

PATH = Path("migrations/001_a.sql")


def parse(*lines: str) -> Call:
    """Parse lines as they would stand behind `-- stamp: ` and `--`."""
    columns = [11] + [3] * (len(lines) - 1)
    source = [SourceLine(text, 7 + i, columns[i]) for i, text in enumerate(lines)]
    return parse_call(iter(source), PATH)


def values(*lines: str) -> dict[str, object]:
    return {name: argument.value for name, argument in parse(*lines).arguments.items()}


def test_every_kind_of_value() -> None:
    assert values(
        't(a=\'single\', b="double", c=-12, d=true, e=False, f=null, g=None, h=[1, "x", [], ],'
        ' i={"k": {"l": [2]}, },)'
    ) == {
        "a": "single",
        "b": "double",
        "c": -12,
        "d": True,
        "e": False,
        "f": None,
        "g": None,
        "h": [1, "x", []],
        "i": {"k": {"l": [2]}},
    }


def test_words_of_sql_are_argument_names() -> None:
    assert list(values('t(commands=["select"], table="a", true=3)')) == [
        "commands",
        "table",
        "true",
    ]


def test_no_arguments_and_the_place_of_the_call() -> None:
    call = parse("  name()  ")
    assert (call.template, call.arguments, str(call.place)) == ("name", {}, f"{PATH}:7:13")
    assert call.last_line == 7


def test_it_goes_on_over_comment_lines_until_the_parenthesis_closes() -> None:
    call = parse("t(", '    a="x",', "", "    b=[", "      1,", "    ],", ")", "  not(read=1)")
    assert {n: a.value for n, a in call.arguments.items()} == {"a": "x", "b": [1]}
    assert call.last_line == 13
    assert str(call.arguments["b"].place) == f"{PATH}:10:7"


def test_escapes() -> None:
    line = r"""t(a="\"\\\n\r\t\'", b='\x41é\U0001f600', c="'", d='"', e="()[]{},:=#--")"""
    assert values(line) == {
        "a": "\"\\\n\r\t'",
        "b": "Aé😀",
        "c": "'",
        "d": '"',
        "e": "()[]{},:=#--",
    }


@pytest.mark.parametrize(
    ("line", "message", "column"),
    [
        ("", "expected the template's name", 11),
        ("t", "expected ( after t", 12),
        ("t a", "expected ( after t", 13),
        ("t(", "the parenthesis that opens here is not closed", 12),
        ('t(a="x"', "the parenthesis that opens here is not closed", 12),
        ('t("x")', "every argument is a name, = and a value", 13),
        ('t(**{"a": 1})', "every argument is a name, = and a value", 13),
        ("not(1)", "every argument is a name, = and a value", 11),
        ('t(for=["select"])', "the argument for is called commands", 13),
        ('t(a="for=1", for ="x")', "the argument for is called commands", 24),
        ('t(a "x")', "expected named values with commas between: invalid syntax", 15),
        ("t(class=1)", "expected named values with commas between: invalid syntax", 13),
        ("t(a=)", "expected named values with commas between: invalid syntax", 15),
        ("t(a=b)", "expected a value (a string in quotes, a whole number", 15),
        ("t(a=__import__('os'))", "expected a value", 15),
        ("t(a=1.5)", "expected a value", 15),
        ("t(a=(1, 2))", "expected a value", 15),
        ("t(a={1})", "expected a value", 15),
        ("t(a=[1, *b])", "expected a value", 19),
        ('t(a=["x", "y" "z"])', "expected one string in plain quotes", 21),
        ('t(a=r"x")', "expected one string in plain quotes", 15),
        ('t(a=f"x")', "expected a value", 15),
        ('t(a=b"x")', "expected a value", 15),
        ('t(a="""x""")', "expected one string in plain quotes", 15),
        ("t(a=1, # why", "# has no meaning in a stamp", 18),
        ('t(é="é", b=1.5)', "expected a value", 22),
        ("t(a=1 b=2)", "Perhaps you forgot a comma?", 15),
        ("t(a=1, a=2)", "the argument a is given twice", 18),
        ('t(a={"k": 1, "k": 2})', "the key 'k' is given twice", 24),
        ('t(a={"k" 1})', "expected named values with commas between: ", 16),
        ("t(a={k: 1})", "expected a key in quotes", 16),
        ('t(a={**{"k": 1}})', "expected a key in quotes", 18),
        ("t(a=[1 2])", "Perhaps you forgot a comma?", 16),
        ('t(a="x)', "the string that begins here does not end on its line", 15),
        (r't(a="x\q")', r"\q is not an escape", 17),
        (r't(a="\U00110000")', r"\U is not an escape", 16),
        (r't(a="\x00")', "cannot hold a NUL", 15),
        (r't(a="\ud83d")', "half of a surrogate pair", 15),
        ("t(a=1) -- why", "nothing may follow the closing parenthesis", 18),
        ("t(a=1);", "nothing may follow the closing parenthesis", 17),
        ("t(a=" + "[" * 40 + "]" * 40 + ")", "nested more than 16 deep", 31),
        ("t(a=" + "-" * 100_000 + "1)", "expected", 11),
        ("t(a=" + "~" * 900 + "1)", "expected a value", 15),
        ("9t(a=1)", "expected the template's name", 11),
        ("@t(a=1)", "expected the template's name", 11),
    ],
)
def test_errors_say_what_and_where(line: str, message: str, column: int) -> None:
    with pytest.raises(StampError) as caught:
        parse(line)
    assert message in caught.value.message
    assert str(caught.value.place) == f"{PATH}:7:{column}"
    assert "-- stamp: template(" in str(caught.value.hint)


def test_an_error_on_a_following_line_has_that_line() -> None:
    with pytest.raises(StampError) as caught:
        parse("t(", "  a=oops", ")")
    assert str(caught.value.place) == f"{PATH}:8:7"


json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=10,
)


def written(value: object) -> str:
    """Write a value as an author could: with as few escapes as possible."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


@given(json)
def test_whatever_is_written_is_read_back(value: object) -> None:
    assert values(f"t(a={written(value)})") == {"a": value}


@given(st.text(max_size=60))
def test_any_text_gives_a_call_or_a_stamp_error(text: str) -> None:
    try:
        call = parse(*text.split("\n"))
    except StampError as error:
        assert error.place is not None
        assert error.place.line in range(7, 8 + text.count("\n"))
    else:
        assert call.template.isidentifier()

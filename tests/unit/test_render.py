"""Variables are filled in where psql fills them in, and places lead back to the author's text."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pgvouch.errors import Place
from pgvouch.files.variables import render

PIECES = st.sampled_from(
    ["select ", ":'v'", ':"v"', ":v", "::text", " 'a:v' ", "$$:v$$", "-- :v\n", "é", "x[1:v]", ":w"]
)
WORD = st.text("abcé'\"\\ ", min_size=1, max_size=8)


@given(st.lists(PIECES, max_size=8), WORD)
def test_what_is_not_a_variable_stays_and_offsets_lead_back(pieces: list[str], value: str) -> None:
    text = " ".join(pieces)
    rendered = render(text, ("v",), {"v": value}, Place(Path("f")))
    for needle in ("'a:v'", "$$:v$$", "::text", ":w"):
        assert rendered.text.count(needle) >= text.count(needle)
    start = 0
    while (at := rendered.text.find("é", start)) >= 0:
        if value.count("é") == 0:
            assert text[rendered.source_offset(at)] == "é"
        start = at + 1
    assert rendered.source_offset(len(rendered.text)) == len(text)


@given(st.lists(PIECES, max_size=8))
def test_undeclared_means_untouched(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert render(text, (), {"v": "x"}, Place(Path("f"))).text == text

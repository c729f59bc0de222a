"""The server's own quote_ident and quote_literal are the measure."""

import random

import psycopg

from pgvouch.stamp import quoting
from support.stamp_bench import ODD_NAMES, fits

ALPHABET = "abzAZ_09 $\"'\\.;:-/*%{}[]()\n\r\t\x01\x7f#&Ué名😀\u202e\u2028\ue000"


def _random_names(count: int) -> list[str]:
    choice = random.Random(11)
    texts = ("".join(choice.choices(ALPHABET, k=choice.randint(1, 12))) for _ in range(count))
    return [text for text in texts if fits(text)]


def test_every_word_and_random_names_are_quoted_as_the_server_does(url: str) -> None:
    with psycopg.connect(url) as connection:
        words = [row[0] for row in connection.execute("select word from pg_get_keywords()")]
        assert len(words) > 450
        samples = [*words, *map(str.upper, words), *ODD_NAMES, *_random_names(3000)]
        rows = connection.execute(
            "select s, quote_ident(s), quote_literal(s) from unnest(%s::text[]) as u (s)",
            [samples],
        ).fetchall()
    assert [(s, quoting.quote_ident(s), quoting.quote_literal(s)) for s in samples] == rows


def test_every_server_reads_names_and_texts_back(every_url: str) -> None:
    """Another version has other keywords: what is quoted needlessly is still the same name."""
    with psycopg.connect(every_url) as connection:
        words = [row[0] for row in connection.execute("select word from pg_get_keywords()")]
        samples = [*words, *ODD_NAMES, *_random_names(600)]
        for start in range(0, len(samples), 500):
            some = samples[start : start + 500]
            columns = ", ".join(f"{quoting.literal(s)} as {quoting.identifier(s)}" for s in some)
            cursor = connection.execute(f"select {columns}".encode())
            assert cursor.description is not None
            assert [column.name for column in cursor.description] == some
            assert list(cursor.fetchone() or ()) == some

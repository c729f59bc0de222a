"""The word that a misspelled one was meant to be. No I/O."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known word that is most like a word, for `did you mean …?`.

    Args:
        word: what is written.
        known: what could be meant.
        likeness: the least that counts, from 0 to 1.

    Returns:
        None where nothing is like it.
    """
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), 1, likeness)), None)

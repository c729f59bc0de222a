"""An error gets its context on the way out, and keeps what was said closer to the cause."""

from pgvouch.errors import MigrationError


def test_what_is_not_said_yet_is_filled_in() -> None:
    error = MigrationError("it failed").explain("a fact", state="Nothing of it.", hint="do this")
    assert (error.notes, error.state, error.hint) == (["a fact"], "Nothing of it.", "do this")


def test_what_was_said_closer_to_the_cause_stays() -> None:
    error = MigrationError("it failed", notes=["a"], state="Half of it.", hint="do that")
    error.explain("b", state="Nothing of it.", hint="do this")
    assert (error.notes, error.state, error.hint) == (["a", "b"], "Half of it.", "do that")


def test_nothing_to_add_adds_nothing() -> None:
    error = MigrationError("it failed").explain()
    assert (error.notes, error.state, error.hint) == ([], None, None)

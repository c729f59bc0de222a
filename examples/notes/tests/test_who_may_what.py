"""Who may do what with a note of ann's: every caller, every kind of note, every action."""

import pytest

CALLERS = ("ann", "bob", "carla", "")
"""Its owner, one of her team, one of another team, and somebody who has not signed in."""
MAY = {
    # visibility, archived: what ann, bob, carla and a visitor may: read, edit, share, delete
    ("private", False): ("resd", "----", "----", "----"),
    ("team", False): ("resd", "re--", "----", "----"),
    ("public", False): ("resd", "r---", "r---", "r---"),
    ("private", True): ("r--d", "----", "----", "----"),
    ("team", True): ("r--d", "----", "----", "----"),
    ("public", True): ("r--d", "----", "----", "----"),
}
ACTIONS = {"r": "read", "e": "edit", "s": "share", "d": "delete"}
CASES = [
    pytest.param(
        *(visibility, archived, caller, action, letter in allowed),
        id=f"{caller or 'visitor'}-{action}-{visibility}{'-archived' * archived}",
    )
    for (visibility, archived), row in MAY.items()
    for caller, allowed in zip(CALLERS, row, strict=True)
    for letter, action in ACTIONS.items()
]


@pytest.mark.parametrize(("visibility", "archived", "caller", "action", "is_allowed"), CASES)
def test_a_caller_does_what_they_may(
    owner, client, note, visibility, archived, caller, action, is_allowed
):
    number = note(visibility, archived=archived)
    kept = ("select id, body, visibility from notes where id = %s", [number])
    before = owner.execute(*kept).fetchone()
    other = "team" if visibility == "public" else "public"
    method, said = {
        "read": ("GET", None),
        "edit": ("PATCH", {"body": "Bread"}),
        "share": ("PATCH", {"visibility": other}),
        "delete": ("DELETE", None),
    }[action]
    answer = client.open(f"/notes/{number}", method=method, json=said, headers={"X-Caller": caller})
    after = owner.execute(*kept).fetchone()
    if not is_allowed:
        assert answer.status_code in {403, 404}
        assert after == before
        return
    assert answer.status_code in {200, 204}
    assert (
        after
        == {
            "read": before,
            "edit": (number, "Bread", visibility),
            "share": (number, "Milk", other),
            "delete": None,
        }[action]
    )

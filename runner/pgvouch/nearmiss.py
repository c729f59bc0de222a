"""Comments that look like a directive and are none: a typo, or prose? No I/O."""

import re

from pgvouch.errors import FileError, Place
from pgvouch.migration import BOOLEANS, DIRECTIVES, ISOLATION, Version, level

_LIKE_A_BOOLEAN = re.compile(rf"(?:{'|'.join(BOOLEANS)}|on|off|1|0)\Z", re.IGNORECASE)
_LIKE_A_TIME = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*[a-z]*\Z", re.IGNORECASE)
_LIKE_QUALIFIED_NAMES = re.compile(r"\S+\.\S+(?:\s*,\s*\S+\.\S+)*\Z")
_LIKE_NAMES = re.compile(r"[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*\Z")
_SHAPES = {
    "transactional": _LIKE_A_BOOLEAN,
    "lock_timeout": _LIKE_A_TIME,
    "lock_tables": _LIKE_QUALIFIED_NAMES,
    "statement_timeout": _LIKE_A_TIME,
    "var": _LIKE_NAMES,
}
_WITHOUT_COLON = re.compile(
    r"(?P<word>transactional|(?:lock|statement)[_-]timeout|lock[_-]tables|isolation)(?:\s*=\s*|\s+)(?P<value>\S.*)\Z"
)
_OPPOSITES = {"reversible", "verified"}
"""Words of their own that differ from a directive by two letters."""


def refuse_near_miss(word: str, value: str, place: Place) -> None:
    """Refuse a comment that is a directive with a typo in its name.

    Args:
        word: what stands before the colon; no directive.
        value: what stands behind it; where it could not be the directive's, the comment is prose.
        place: the comment.

    Raises:
        FileError: with the directive that is meant.
    """
    lowered = word.lower()
    # In capitals, or as "before:" and "after:", they are what people begin a comment with.
    if word in {"check", "same"} or lowered.startswith(("check none", "check error")):
        raise FileError(
            f"`-- {word}:` is a promise; promises live in verify/",
            place,
            hint=f"move it to verify/{place.path.name}",
        )
    if lowered == "stamp" or ("_" not in lowered and len(lowered) < len("var")):
        return
    import difflib

    spelled = lowered.replace("-", "_").replace(" ", "_").removesuffix("_level")
    near = difflib.get_close_matches(spelled, DIRECTIVES, n=1, cutoff=0.8)
    if near and spelled not in _OPPOSITES and _has_the_shape_of(near[0], value):
        raise FileError(
            f"`-- {word}:` looks like the directive `-- {near[0]}:` and would be ignored",
            place,
            hint=f"write `-- {near[0]}:`, or reword the comment",
        )


def refuse_without_colon(comment: str, place: Place) -> None:
    """Refuse a comment that is a directive but for its colon.

    Args:
        comment: without the dashes.
        place: where it is.

    Raises:
        FileError: with the directive that is meant.
    """
    match = _WITHOUT_COLON.match(comment.strip())
    if match is None:
        return
    word = match["word"].replace("-", "_")
    if _has_the_shape_of(word, match["value"]):
        raise FileError(
            f"`-- {comment.strip()}` looks like the directive `-- {word}:` and would be ignored",
            place,
            hint=f"write `-- {word}: {match['value']}`, or reword the comment",
        )


def _has_the_shape_of(directive: str, value: str) -> bool:
    words = value.replace(",", " ").split()
    if shape := _SHAPES.get(directive):
        return shape.match(value) is not None
    if directive == "depends":
        return len(words) == 1 or (bool(words) and all(Version.of(word) for word in words))
    if directive == "isolation":
        return level(value) in ISOLATION
    if directive == "unless":
        from pgvouch.statements import tree_of

        return len(words) > 1 and tree_of(f"select ({value}\n)::boolean") is not None
    return bool(words)

"""Rewrites the text of a view from PostgreSQL 15 into that of 16 and later.

Up to 15 every view's range table had two more entries (for rules: OLD and NEW), so the deparser
thought that there were several tables and wrote the table's name before each column. Since 16 a
query over one table says `SELECT name`, not `SELECT t.name`. Subqueries name their tables in every
version, and so does a query over several tables or a UNION.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|[a-z_\u0080-\U0010ffff][\w$]*)"""
    r"""|(?P<word>[A-Z]\w*)|(?P<sign>\d[\w.]*|::|[^ ])|(?P<blank> +)"""
)
_AFTER_FROM = {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "OFFSET", "LIMIT", "FETCH", "FOR"}
_SEVERAL = {"UNION", "INTERSECT", "EXCEPT"}
_AFTER_KEY = {
    ",",
    ")",
    "DESC",
    "ASC",
    "USING",
    "NULLS",
    "ORDER",
    "ROWS",
    "RANGE",
    "GROUPS",
} | _AFTER_FROM
_QUERY = {"SELECT", "VALUES", "WITH"}
_NOT_A_COLUMN_AFTER = {".", "::", "COLLATE", "AS", "OF"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """The group of the pattern: text, name (a lower-case or quoted word), word (keyword), sign."""
    text: str
    start: int
    depth: int
    """Parentheses around it."""
    inner: bool
    """It stands in a subquery."""


def unqualified(query: str) -> str:
    """Return a view's query without its only table's name before the columns.

    Args:
        query: what pg_get_viewdef gives on PostgreSQL 15, line breaks folded to blanks.
    """
    tokens = list(_tokens(query))
    found = _only_table(tokens)
    if found is None:
        return query
    table, sources = found
    renamed = _output_names(tokens)
    kept = []
    copied = 0
    for at, token in enumerate(tokens):
        if token.text != table or at in sources or not _stands_before_column(tokens, at):
            continue
        if _is_sort_key(tokens, at) and tokens[at + 2].text in renamed:
            continue
        kept.append(query[copied : token.start])
        copied = tokens[at + 2].start
    return "".join(kept) + query[copied:]


def _tokens(query: str) -> Iterator[_Token]:
    opened: list[bool] = []
    inner = 0
    found = [match for match in _TOKEN.finditer(query) if match.lastgroup != "blank"]
    for at, match in enumerate(found):
        text = match[0]
        if text == ")" and opened:
            inner -= opened.pop()
        yield _Token(match.lastgroup or "", text, match.start(), len(opened), inner > 0)
        if text == "(":
            following = found[at + 1][0] if at + 1 < len(found) else ""
            opened.append(following in _QUERY)
            inner += opened[-1]


def _only_table(tokens: Sequence[_Token]) -> tuple[str, range] | None:
    """Find the source of a query that has just one.

    Returns:
        The name that stands before its columns, and the tokens that are the FROM clause.
    """
    words = [token.text if token.kind == "word" and not token.depth else "" for token in tokens]
    if "FROM" not in words or _SEVERAL & set(words):
        return None
    first = words.index("FROM") + 1
    last = next((at for at in range(first, len(words)) if words[at] in _AFTER_FROM), len(words))
    source = [token for token in tokens[first:last] if not token.depth]
    # A join stands in parentheses, and so does a subquery.
    is_join = tokens[first].text == "(" and not tokens[first + 1].inner
    if is_join or any(token.text == "," for token in source):
        return None
    names = []
    for token in source:
        if token.text == "TABLESAMPLE":
            break
        if token.kind == "name":
            names.append(token.text)
    return (names[-1], range(first, last)) if names else None


def _output_names(tokens: Sequence[_Token]) -> set[str]:
    """Return what the query's own output columns are renamed to."""
    return {name.text for as_, name in pairwise(tokens) if as_.text == "AS" and not as_.depth}


def _is_sort_key(tokens: Sequence[_Token], at: int) -> bool:
    """Whether a column is by itself a key of ORDER BY, PARTITION BY or DISTINCT ON.

    In ORDER BY an output column's name goes before a table's column, so PostgreSQL names the table
    where both exist; it does so in the other two by the way. GROUP BY is not affected.
    """
    if tokens[at - 1].text not in {"BY", ",", "("}:
        return False
    if at + 3 < len(tokens) and tokens[at + 3].text not in _AFTER_KEY:
        return False
    for back in range(at - 1, 0, -1):
        if tokens[back].depth < tokens[at].depth:
            return tokens[back - 1].text == "ON" and tokens[back - 2].text == "DISTINCT"
        if tokens[back].text == "BY" and tokens[back].depth == tokens[at].depth:
            return tokens[back - 1].text != "GROUP"
    return False


def _stands_before_column(tokens: Sequence[_Token], at: int) -> bool:
    if tokens[at].kind != "name" or tokens[at].inner or at + 2 >= len(tokens):
        return False
    if tokens[at + 1].text != ".":
        return False
    if at and tokens[at - 1].text in _NOT_A_COLUMN_AFTER:
        return False
    # A function of a schema that has the table's name is no column.
    is_call = at + 3 < len(tokens) and tokens[at + 3].text == "("
    return tokens[at + 2].kind == "name" and not is_call

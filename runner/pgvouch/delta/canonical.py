"""Brings the text that PostgreSQL gives for an object into one form on one line, equal on 15 to 18.

A definition comes from PostgreSQL's own deparser, whose words depend on the version in three ways:
where it breaks lines, which names it quotes (words that became keywords), and whether a view over
one table names it before each column. String literals and quoted names are left as they are.
"""

import re

_QUALIFIED = "/*qualified*/"
"""Stands before a view's query that PostgreSQL 15 wrote: see catalog_relations.sql."""

_BLANK = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|\()(?:(?<=\()[ \t\r\n]+)?|[ \t\r\n]+(\))?""")
_NEW_KEYWORD = re.compile(
    r"""('(?:[^']|'')*')|"(merge_action|system_user|json(?:_(?:array|arrayagg|exists|object"""
    r"""|objectagg|query|scalar|serialize|table|value))?)\""""
)
_ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"} | {
    code: f"\\u{code:04x}"
    for code in (*range(9), 11, 12, *range(14, 32), 0x7F, 0x85, 0x2028, 0x2029)
}


def canonical(text: str) -> str:
    r"""Return an object's text in the form in which it is compared and shown.

    Args:
        text: an identity or a definition as catalog_*.sql gives it.

    Returns:
        One line. Line breaks that belong to a literal are written `\n`, a backslash `\\`, so that
        two different texts never become the same line.
    """
    if "\n" in text or "( " in text:
        text = _BLANK.sub(lambda match: match[1] or match[2] or " ", text)
    if '"' in text:
        text = _NEW_KEYWORD.sub(lambda match: match[1] or match[2], text)
    head, mark, query = text.partition(_QUALIFIED)
    if mark:
        # Compiling its pattern costs more than the rest of the package, and few need it.
        from pgvouch.delta.views import unqualified

        text = head + unqualified(query)
    if "\\" not in text and text.isprintable():
        return text
    return text.translate(_ESCAPES)

"""Where something is in a text, and how much of it is shown. No I/O."""


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column (both from 1, columns in characters) of an offset in a text."""
    # Without a slice: the text may be tens of megabytes.
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def excerpt(statement: str, limit: int = 400) -> str:
    """Return a statement short enough to be printed in an error."""
    text = statement.strip()
    return text if len(text) <= limit else f"{text[:limit].rstrip()} …"

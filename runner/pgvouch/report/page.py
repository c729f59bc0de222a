"""A report as HTML: one file that asks for nothing else, and runs nothing."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pgvouch import __version__

_HERE = Path(__file__).parent
_SIGNS = {"+": "new", "-": "gone", "~": "changed"}
_SECOND_MS = 1_000


class Shown(Protocol):
    """A report, of which the template knows the rest."""

    @property
    def database(self) -> str:
        """Its name."""


def render_page(reports: Sequence[Shown], made_at: datetime) -> str:
    """Return reports as one page.

    Args:
        reports: of one database or of several.
        made_at: the time that the page shows.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    css = (_HERE / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(at=_at, ms=_ms, sign=_sign)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        reports=reports,
        made_at=made_at,
        css=css,
        css_hash=digest,
        version=__version__,
        title=_title(reports),
    )


def _title(reports: Sequence[Shown]) -> str:
    return reports[0].database if len(reports) == 1 else f"{len(reports)} databases"


def _at(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def _ms(duration: float | None) -> str:
    if duration is None:
        return ""
    if duration < _SECOND_MS:
        return f"{duration:.0f} ms"
    return f"{duration / _SECOND_MS:,.1f} s"


def _sign(line: str) -> str:
    return _SIGNS.get(line[:1], "changed")

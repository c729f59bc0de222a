"""A report as HTML: escaped, the same for the same state, with colours that can be read."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from pgvouch import Report
from pgvouch.delta.fold import Comparison, Difference
from pgvouch.operations.history import HistoryEntry
from pgvouch.report.model import Entry, Promise
from pgvouch.report.tables import Column, ForeignKey, Table

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EVIL = "<script>alert('x')</script>\"&"
CSS = (Path(__file__).parents[2] / "runner/pgvouch/report/page.css").read_text()


def _evil() -> Report:
    promise = Promise("check", EVIL, (EVIL,), EVIL, EVIL, "broken", EVIL)
    entry = Entry(
        EVIL, "applied", NOW, EVIL, 12.4, 1, False, True, EVIL, (promise,), (f"+ table {EVIL}",)
    )
    table = Table(
        EVIL, EVIL, (Column(EVIL, EVIL, True, True),), (ForeignKey((EVIL,), EVIL, EVIL, (EVIL,)),), True, EVIL
    )  # fmt: skip
    comparison = Comparison((Difference(EVIL, EVIL, EVIL, EVIL),), (), (EVIL,))
    happening = HistoryEntry(NOW, EVIL, "accepted", EVIL, EVIL, EVIL, EVIL)
    return Report(EVIL, EVIL, (entry,), (promise,), (happening,), (table,), True, comparison)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_nothing_of_a_database_becomes_markup() -> None:
    page = Report.page([_evil(), _evil()], NOW)
    tags = _Tags()
    tags.feed(page)
    assert not {"script", "img", "link", "iframe", "object"} & set(tags.tags)
    assert not [name for name in tags.attributes if name.startswith("on") or name == "style"]
    assert sum(EVIL in text for text in tags.text) > 20
    assert "<script" not in page


def test_a_page_loads_nothing_and_says_so() -> None:
    page = Report.page([_evil()], NOW)
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"""(?:src|href)=["']?(?!#)""", page)
    assert "@import" not in CSS
    assert "url(" not in CSS.replace("url(#", "")
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page):
        assert "".join(target) in ids
    for listed in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert set(listed.split()) <= set(ids)


def test_only_the_time_differs_between_two_pages_of_one_state() -> None:
    later = datetime(2026, 11, 23, tzinfo=UTC)
    first, second = Report.page([_evil()], NOW), Report.page([_evil()], later)
    assert first == Report.page([_evil()], NOW)
    assert first.replace("2026-11-22 08:00:00 UTC. ", "") != second
    made = re.compile(r"on 2026-\S+ \S+ UTC")
    assert made.sub("", first) == made.sub("", second)


def test_an_empty_report() -> None:
    page = Report.page([Report("notes", None, (), (), (), ())], NOW)
    assert "there is no such database yet" in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("applied", "good"),
        ("provided", "calm"),
        ("ahead", "calm"),
        ("pending", "wait"),
        ("missing", "bad"),
    ],
)
def test_a_state_has_its_tone(state: str, tone: str) -> None:
    report = _evil()
    report = replace(report, entries=(replace(report.entries[0], state=state),))
    assert f'<span class="state {tone}">{state}</span>' in Report.page([report], NOW)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_has_the_contrast_of_level_aa() -> None:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+)", part)) for part in CSS.split("@media")[:2]
    )
    assert light.keys() == dark.keys()
    on = [*product(("text", "quiet", "link", "good", "bad", "wait"), ("ground", "raised"))]
    on += [(tone, f"{tone}-ground") for tone in ("good", "bad", "wait", "quiet")]
    on += [("text", "quiet-ground")]
    for colours in (light, dark):
        for text, ground in on:
            lighter, darker = sorted(
                (_luminance(colours[text]), _luminance(colours[ground])), reverse=True
            )
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)

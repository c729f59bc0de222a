"""The page of the report in a browser: nothing is asked for, nothing overflows, nothing is wrong."""

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import ROOT, Server, query
from pgvouch import Report, Vouch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
SYSTEMS = ("coding_sessions", "feature_planner", "learning_plans", "monthly_planner", "workouts")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@pytest.fixture(scope="module")
def page_file(pg18: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the five systems: one is verified, with broken promises; one has pending files."""
    reports = []
    for system in SYSTEMS:
        name = f"{system}_{secrets.token_hex(4)}"
        migrated = Vouch(pg18.url(name), project=ROOT / "pyproject.toml", database=system)
        with pg18.janitor(name), migrated as vouch:
            vouch.migrate(to="003" if system == "workouts" else None)
            if system == "learning_plans":
                query(
                    pg18.url(name), "alter table public.learning_plans disable row level security"
                )
            reports.append(vouch.report(verify=system == "learning_plans"))
    assert reports[2].verdicts("broken")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(Report.page(reports, datetime(2026, 11, 22, tzinfo=UTC)))
    return path


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    # Chromium has no sandbox for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


def _open(browser: "Browser", file: Path, width: int, scheme: str, said: list[str]) -> "Page":
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_read_at_any_width_and_asks_for_nothing(
    browser: "Browser", page_file: Path, width: int, scheme: str
) -> None:
    said: list[str] = []
    page = _open(browser, page_file, width, scheme, said)
    try:
        for opened in (False, True):
            if opened:
                for summary in page.locator("details:not([open]) > summary").all()[:3]:
                    summary.click()
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") == width
            wide = page.evaluate(
                "[...document.querySelectorAll('body *')].filter(e => !e.closest('.box, svg'))"
                ".filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).length"
            )
            assert wide == 0
        assert page.locator("svg[role=img]").count() >= 5
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
        # The style has applied, so the hash in its policy is right.
        assert page.evaluate("getComputedStyle(document.querySelector('.facts')).display") == "flex"
        assert said == [page_file.as_uri()]
    finally:
        page.context.close()


def test_it_is_told_to_who_does_not_see_it(browser: "Browser", page_file: Path) -> None:
    page = _open(browser, page_file, 1280, "light", [])
    try:
        headings = page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])"
        )
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert all(level - last <= 1 for last, level in pairwise(headings))
        for system in SYSTEMS:
            assert page.get_by_role("heading", name=system, exact=True).count() == 1
        diagram = page.get_by_role("img", name="Schema public").first
        assert "foreign key" in diagram.locator("desc").text_content()
        # What scrolls by itself can be reached with the keyboard.
        boxes = "[...document.querySelectorAll('.box')].filter(b => b.tabIndex < 0).length"
        assert page.evaluate(boxes) == 0
    finally:
        page.context.close()


def test_lines_end_at_their_boxes_and_words_stay_in_them(
    browser: "Browser", page_file: Path
) -> None:
    page = _open(browser, page_file, 1280, "light", [])
    try:
        spilled = page.evaluate(
            "[...document.querySelectorAll('svg g')].filter(g => {"
            "  const frame = g.querySelector('rect').getBoundingClientRect();"
            "  return [...g.querySelectorAll('text')].some(t => {"
            "    const r = t.getBoundingClientRect();"
            "    return r.right > frame.right + 0.5 || r.left < frame.left || r.bottom > frame.bottom + 1;"
            "  });"
            "}).length"
        )
        assert spilled == 0
    finally:
        page.context.close()

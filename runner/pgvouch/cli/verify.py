"""pgvouch verify."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import click

from pgvouch.api.vouch import Vouch
from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.drift import annotate, are_unpromised, differ, is_drift, lines_of, strict_option
from pgvouch.cli.options import running
from pgvouch.cli.output import Line
from pgvouch.errors import DRIFT, FAILED, UNREACHABLE, ConnectError
from pgvouch.postgres.retry import TRANSIENT

if TYPE_CHECKING:
    from pgvouch.delta.fold import Comparison
    from pgvouch.verify.checks import Finding, Verdict


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@strict_option
@running
@click.pass_obj
def verify(context: Context, databases: tuple[str, ...], strict: bool) -> int:
    """Run the promises of all applied migrations again.

    What the checks write is rolled back. Then the catalog is compared with the deltas, as drift
    does.
    """
    codes = set()
    for vouch in context.databases(databases):
        with vouch:
            found = vouch.verify()
            compared = _compared(vouch)
        if any(item.broken for item in found):
            codes.add(FAILED)
        elif not isinstance(compared, ConnectError) and is_drift(compared, strict=strict):
            codes.add(DRIFT)
        elif isinstance(compared, ConnectError) or any(item.unjudged for item in found):
            codes.add(UNREACHABLE)
        _annotate(context, found)
        lines = _lines(vouch.name, found)
        if isinstance(compared, ConnectError):
            catalog: dict[str, Any] = {"error": compared.as_dict()}
            lines.append(f"{vouch.name}: {compared.message}")
            context.annotate_error(compared)
        else:
            catalog = {**as_json.of_drift(vouch.name, compared), "error": None}
            lines += _catalog(vouch.name, compared, strict=strict)
            annotate(context, vouch, compared, strict=strict)
        document = {**as_json.of_verified(vouch.name, found), "catalog": catalog}
        context.tell(*lines, document=document)
    return next((code for code in (FAILED, DRIFT, UNREACHABLE) if code in codes), 0)


def _annotate(context: Context, verified: Sequence["Verdict"]) -> None:
    for item in verified:
        for level, kind, word, findings in (
            ("error", "check", "found", item.broken),
            ("warning", "unjudged", "met", item.unjudged),
        ):
            for finding in findings:
                sentence = f"{item.id}: {finding.sentence}"
                more = (f"expected {finding.expected}", f"{word} {finding.found}")
                context.annotate(level, kind, sentence, *more, place=finding.place)


def _compared(vouch: Vouch) -> "Comparison | ConnectError":
    """Compare the catalog; what others keep from us is no reason to tell nothing of the checks."""
    try:
        return vouch.drift()
    except ConnectError as exc:
        return exc


def _catalog(name: str, compared: "Comparison", *, strict: bool) -> list[Line]:
    lines: list[Line] = []
    if compared.differing:
        lines.append(f"{name}: {differ(len(compared.differing))}")
    if compared.deltas and compared.unpromised:
        shows = as_text.as_typed("pgvouch drift shows more")
        lines.append(f"{name}: {are_unpromised(len(compared.unpromised))} ({shows})")
    return lines + lines_of(compared, strict=strict)


_AFTER_BROKEN = (
    "see what has changed in the database since it was migrated, and undo that; what is meant "
    "to stay belongs in a migration of its own, with its promises"
)


def _lines(name: str, verified: Sequence["Verdict"]) -> list[Line]:
    from pgvouch.verify.wording import labelled, more_of

    broken = [(item.id, finding) for item in verified for finding in item.broken]
    unjudged = [(item.id, finding) for item in verified for finding in item.unjudged]
    passed = sum(item.passed for item in verified)
    rest = f", {len(unjudged)} could not be judged" if unjudged else ""
    lines: list[Line] = [f"{name}: {passed} checks hold, {len(broken)} broken{rest}"]
    for identifier, finding in broken:
        lines.append(("  ", output.Styled("✗", "red"), f" {identifier}: {finding.sentence}"))
        lines.append(f"      at       {as_text.shown_place(finding.place)}")
        lines.append(f"      expected {finding.expected}")
        lines += [f"      {line}" for line in labelled("found", finding.found)]
    together: dict[tuple[str, str], list[Finding]] = {}
    for identifier, finding in unjudged:
        together.setdefault((identifier, str(finding.found)), []).append(finding)
    for (identifier, met), findings in together.items():
        others = f" (and {len(findings) - 1} more)" if findings[1:] else ""
        sentence = f" {identifier}: {findings[0].sentence}{others}"
        lines.append(("  ", output.Styled("?", "yellow"), sentence))
        lines.append(f"      at       {as_text.shown_place(findings[0].place)}")
        lines.append(f"      met      {met}")
    if broken:
        more = more_of(finding.found for _, finding in broken)
        lines.append(f"  next    {as_text.as_typed(_AFTER_BROKEN + more)}")
    if unjudged:
        lines.append(f"  next    {as_text.as_typed(_again({f.sqlstate for _, f in unjudged}))}")
    return lines


def _again(states: AbstractSet[str | None]) -> str:
    """Return what to do where checks ended without an answer."""
    advice = []
    if states & TRANSIENT:
        advice.append(
            "others were in the way: run pgvouch verify again; --retries and --retry-budget keep "
            "trying for longer"
        )
    if "57014" in states:
        advice.append("a check was cancelled, mostly by a timeout: --statement-timeout allows more")
    if states - TRANSIENT - {"57014"}:
        advice.append("a server has run out of something or did not answer: mend that first")
    return "; ".join(advice)

"""The page about stamping shows what is really written."""

import re
from pathlib import Path

from pgvouch.stamp.blocks import find
from pgvouch.stamp.declaration import parse_declaration
from pgvouch.stamp.environment import FILTERS, KEYWORDS
from pgvouch.stamp.render import expand
from pgvouch.stamp.templates import Target, Templates
from support.stamp_bench import STOCK, stamp

PAGE = Path(__file__).parents[2] / "docs" / "stamping.md"
TEXT = PAGE.read_text()


def test_every_expansion_on_the_page_is_fresh() -> None:
    shown = []
    for number, example in enumerate(re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)):
        [block] = find(example, Path(f"{number:03}_example.sql"))
        family = STOCK.family(block.call.template)
        values = family.declaration.bind(block.call)
        assert block.expansion is not None
        assert block.expansion.intact
        assert block.expansion.body == expand(family, Target.MIGRATION, values, block.call.place)
        shown.append(block.call.template)
    assert shown == [
        "updated_at_trigger",
        "owner_policies",
        "owner_via_policies",
        "owner_via_policies",
        "service_policies",
        "updated_at_trigger",
        "grants",
    ]


def test_the_family_on_the_page_works(tmp_path: Path) -> None:
    [source] = re.findall(r"```\n(\{#- pgvouch.*?)```", TEXT, re.DOTALL)
    (tmp_path / "append_only.sql.j2").write_text(source)
    sample = parse_declaration(source, tmp_path).sample_text
    assert stamp(sample, templates=Templates(tmp_path)) == (
        "revoke update, delete, truncate on table public.session_events from authenticated;\n"
    )


def test_the_chain_on_the_page_is_what_is_stamped() -> None:
    [shown] = re.findall(r"```\n(session_id = any.*?)```", TEXT, re.DOTALL)
    given = stamp(
        'owner_via_policies(table="coding_jobs", commands=["select"], via=[{"table": "coding_sessions",'
        ' "column": "session_id"}, {"table": "projects", "column": "project_id",'
        ' "owner": "user_id"}])'
    )
    assert "".join(f"    {line}\n" for line in shown.splitlines()) in given


def test_every_filter_and_keyword_is_on_the_page() -> None:
    assert [name for name in (*FILTERS, *KEYWORDS) if f"`{name}`" not in TEXT] == []

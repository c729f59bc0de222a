"""Where the boxes of a diagram go: nothing overlaps, whatever points to what."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.report.diagram import draw
from pgvouch.report.layout import GAP_X, Layout, lay_out
from pgvouch.report.tables import Column, ForeignKey, Table

NAMES = st.sampled_from([f"t{n}" for n in range(14)])
SIZES = st.dictionaries(
    NAMES, st.tuples(st.floats(20, 400), st.floats(20, 700)), min_size=1, max_size=14
)
LINKS = st.sets(st.tuples(NAMES, NAMES), max_size=30)


def _laid(sizes: dict[str, tuple[float, float]], links: set[tuple[str, str]]) -> Layout:
    return lay_out(sizes, dict.fromkeys(links, (10.0, 10.0)))


@given(SIZES, LINKS)
def test_boxes_overlap_nowhere_and_are_inside(
    sizes: dict[str, tuple[float, float]], links: set[tuple[str, str]]
) -> None:
    laid = _laid(sizes, links)
    assert laid.boxes.keys() == sizes.keys()
    for a, b in combinations(laid.boxes.values(), 2):
        beside = a.x + a.width <= b.x + 0.01 or b.x + b.width <= a.x + 0.01
        below = a.y + a.height <= b.y + 0.01 or b.y + b.height <= a.y + 0.01
        assert beside or below
    for name, box in laid.boxes.items():
        assert (box.width, box.height) == sizes[name]
        assert box.x >= 0
        assert box.y >= -0.01
        assert box.x + box.width <= laid.width + 0.01
        assert box.y + box.height <= laid.height + 0.01


@given(SIZES, LINKS)
def test_every_line_leads_from_box_to_box_and_through_none(
    sizes: dict[str, tuple[float, float]], links: set[tuple[str, str]]
) -> None:
    laid = _laid(sizes, links)
    wanted = {(a, b) for a, b in links if a != b and a in sizes and b in sizes}
    assert laid.lines.keys() == wanted
    for (a, b), points in laid.lines.items():
        for name, point in ((a, points[0]), (b, points[-1])):
            box = laid.boxes[name]
            assert point[0] in {box.x, box.x + box.width}
            assert point[1] == box.y + 10
        for (x0, y0), (x1, y1) in pairwise(points):
            # A curve is between two columns; what is level may run along a column.
            assert y0 == y1 or abs(x1 - x0) == pytest.approx(GAP_X)
            left, right = min(x0, x1), max(x0, x1)
            low, high = min(y0, y1), max(y0, y1)
            for box in laid.boxes.values():
                crosses = left < box.x + box.width - 0.01 and right > box.x + 0.01
                assert not (crosses and low < box.y + box.height - 0.01 and high > box.y + 0.01)


@given(SIZES, LINKS)
def test_the_order_of_the_boxes_does_not_matter(
    sizes: dict[str, tuple[float, float]], links: set[tuple[str, str]]
) -> None:
    turned = dict(sorted(sizes.items(), reverse=True))
    assert _laid(sizes, links) == _laid(turned, links)


def test_what_points_stands_to_the_right() -> None:
    laid = _laid(dict.fromkeys("abc", (50.0, 50.0)), {("b", "a"), ("c", "b"), ("c", "a")})
    assert laid.boxes["a"].x < laid.boxes["b"].x < laid.boxes["c"].x
    assert len(laid.lines["c", "a"]) == 4


def _table(name: str, *targets: tuple[str, str]) -> Table:
    columns = (
        Column("id", "bigint", True, True),
        Column("of", "timestamp with time zone", False, False),
    )
    keys = tuple(ForeignKey(("of",), schema, target, ("id",)) for schema, target in targets)
    return Table("public", name, columns, keys)


def test_tables_as_boxes() -> None:
    drawn = draw(
        "public",
        [
            _table("a"),
            _table("b", ("public", "a")),
            _table("c", ("auth", "users"), ("public", "c")),
        ],
    )
    assert [(one.title, one.is_faint) for one in drawn.tables] == [
        ("auth.users", True),
        ("public.a", False),
        ("public.b", False),
        ("public.c", False),
    ]
    assert drawn.told == "3 tables, 3 foreign keys"
    assert [(row.name, row.type, row.marks) for row in drawn.tables[2].rows] == [
        ("id", "bigint", "PK"),
        ("of", "timestamptz", "FK"),
    ]
    assert sorted(line.title for line in drawn.lines) == [
        "b (of) references public.a (id)",
        "c (of) references auth.users (id)",
        "c (of) references public.c (id)",
    ]


def test_tables_of_one_name_and_two_keys_to_one_table() -> None:
    twice = Table(
        "public",
        "b",
        (Column("x", "int", False, False), Column("y", "int", False, False)),
        (ForeignKey(("y",), "public", "a", ("id",)), ForeignKey(("x",), "public", "a", ("id",))),
    )
    drawn = draw("public", [_table("a"), twice])
    assert [line.title for line in drawn.lines] == [
        "b (y) references public.a (id); b (x) references public.a (id)"
    ]


def test_no_table_at_all() -> None:
    assert draw("public", [Table("public", "empty", ())]).told == "1 table, 0 foreign keys"


def test_what_cannot_be_taken_in_is_counted_and_not_drawn() -> None:
    """Each points to the one before and to the first: in a chain of 1,000, half a million places."""
    names = [f"t{n:04}" for n in range(1_000)]
    drawn = draw(
        "public",
        [
            Table(
                "public",
                name,
                (Column("a", "int", False, False),),
                tuple(
                    ForeignKey(("a",), "public", target, ("a",))
                    for target in {names[0], names[max(n - 1, 0)]}
                ),
            )
            for n, name in enumerate(names)
        ],
    )
    assert (drawn.tables, drawn.lines) == ((), ())
    assert drawn.told == "1000 tables, 1998 foreign keys: too many to be drawn"

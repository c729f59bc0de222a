"""A view's query of PostgreSQL 15 is rewritten as PostgreSQL 16 writes it.

That the two are equal on real servers is the business of tests/integration/test_delta_versions.py;
these are the forms that a reader of the code wants to see one by one.
"""

import pytest

from pgvouch.delta.canonical import canonical
from pgvouch.delta.views import unqualified

REWRITTEN = {
    "SELECT t.a, t.b AS c FROM app.t WHERE (t.a > 1)": "SELECT a, b AS c FROM app.t WHERE (a > 1)",
    'SELECT "T x".a FROM "T x"': 'SELECT a FROM "T x"',
    "SELECT x.a FROM app.t x ORDER BY x.a LIMIT 1": "SELECT a FROM app.t x ORDER BY a LIMIT 1",
    "SELECT t.a FROM ONLY app.t FOR UPDATE OF t": "SELECT a FROM ONLY app.t FOR UPDATE OF t",
    "SELECT g.x FROM f(1) g(x)": "SELECT x FROM f(1) g(x)",
    "SELECT s.a FROM (SELECT t.a FROM t) s": "SELECT a FROM (SELECT t.a FROM t) s",
    "WITH c AS (SELECT t.a FROM t) SELECT c.a FROM c": (
        "WITH c AS (SELECT t.a FROM t) SELECT a FROM c"
    ),
    "SELECT t.a FROM t WHERE (EXISTS (SELECT 1 FROM u WHERE (u.a = t.a)))": (
        "SELECT a FROM t WHERE (EXISTS (SELECT 1 FROM u WHERE (u.a = t.a)))"
    ),
    "SELECT t.*::app.t AS whole, (t.p).x FROM app.t": "SELECT t.*::app.t AS whole, (p).x FROM app.t",
    "SELECT auth.uid() AS uid, auth.id FROM app.auth": "SELECT auth.uid() AS uid, id FROM app.auth",
    "SELECT app.a FROM app.t app": "SELECT a FROM app.t app",
    "SELECT t.a FROM t TABLESAMPLE system (10)": "SELECT a FROM t TABLESAMPLE system (10)",
    "SELECT t.b AS a, 't.b'::t.kind AS k FROM t": "SELECT b AS a, 't.b'::t.kind AS k FROM t",
    # Here the output column's name would be taken for the table's column.
    "SELECT t.b AS a, t.a AS b FROM t ORDER BY t.a, t.c DESC": (
        "SELECT b AS a, a AS b FROM t ORDER BY t.a, c DESC"
    ),
    "SELECT lower(t.a) AS a FROM t GROUP BY t.a, t.b ORDER BY (lower(t.a)), t.a": (
        "SELECT lower(a) AS a FROM t GROUP BY a, b ORDER BY (lower(a)), t.a"
    ),
}

LEFT_ALONE = (
    "SELECT t.a FROM (t JOIN u ON ((u.a = t.a)))",
    "SELECT t.a FROM t, u",
    "SELECT t.a FROM t UNION SELECT u.a FROM u",
    "SELECT 1 AS one",
    "SELECT (SELECT t.a FROM t) AS a",
)


@pytest.mark.parametrize("query", REWRITTEN)
def test_over_one_table_columns_stand_alone(query: str) -> None:
    assert unqualified(query) == REWRITTEN[query]


@pytest.mark.parametrize("query", LEFT_ALONE)
def test_other_queries_are_left_alone(query: str) -> None:
    assert unqualified(query) == query


def test_only_what_is_marked_is_rewritten() -> None:
    assert canonical("as SELECT t.a\n   FROM t") == "as SELECT t.a FROM t"
    assert canonical("as /*qualified*/SELECT t.a\n   FROM t") == "as SELECT a FROM t"

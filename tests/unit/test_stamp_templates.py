"""Templates declare what they take, are found, and cannot paste."""

import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from pgvouch.errors import StampError
from pgvouch.stamp.render import list_templates
from pgvouch.stamp.templates import Family, Target, Templates, stock_folder
from support.stamp_bench import STOCK, stamp

FAMILIES = [
    "grants",
    "owner_policies",
    "owner_via_policies",
    "service_policies",
    "updated_at_trigger",
]
HEADER = """{#- pgvouch
doc = "a sample"
sample = 't(table="projects")'
[arguments]
table = { type = "name", doc = "the table" }
words = { type = "list of select|insert", default = ["select"], doc = "words" }
hops = { type = "list of hop", default = [], doc = "records" }
many = { type = "map of role to non-empty list of name", default = {}, doc = "a map" }
number = { type = "integer", default = 1, doc = "a number" }
flag = { type = "boolean", default = false, doc = "a flag" }
said = { type = "text", optional = true, doc = "any text" }
who = { type = "grantee", default = "public", doc = "a role or everyone" }
asked = { type = "expression", default = "now()", doc = "an expression" }
[records.hop]
table = { type = "name", doc = "its table" }
key = { type = "name", default = "id", doc = "its key" }
-#}
"""

Render = Callable[..., str]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Write a body below a header that declares one argument of each type, and stamp it."""

    def stamped(body: str, line: str = 't(table="my table")', header: str = HEADER) -> str:
        (tmp_path / "t.sql.j2").write_text(header + body)
        return stamp(line, templates=Templates(tmp_path))

    return stamped


def refused(render: Render, *arguments: str, **named: str) -> StampError:
    with pytest.raises(StampError) as caught:
        render(*arguments, **named)
    return caught.value


# Nothing is pasted.


@pytest.mark.parametrize(
    "body",
    [
        "drop table {{ table }};",
        "select {{ number }};",
        "select {{ 1 }};",
        "select {{ 'x' }};",
        "select {{ true }};",
        "select {{ none }};",
        "select {{ words }};",
        "select {{ table ~ 'x' }};",
        "select {{ (table | ident) ~ table }};",
        "select {{ table | ident | default(table) ~ '' }};",
        "select {{ table | default(table) }};",
        "select {{ words | first }};",
        "select {{ table | length }};",
        "select {{ table.upper() }};",
        "select {{ '{}'.format(table) }};",
        "select {{ 'x'.join(words) }};",
        "select {{ '%s' % table }};",
        "select {{ table[0] }};",
        "{% set x = table %}select {{ x }};",
        "{% macro m(a) %}{{ a }}{% endmacro %}select {{ m(table) }};",
        "{% for w in words %}select {{ w }};{% endfor %}",
        "{% for w in words %}select {{ loop.index }};{% endfor %}",
        "{% set x %}{{ table }}{% endset %}select {{ x }};",
        "{% set x | default(table) %}a{% endset %}select {{ x ~ table }};",
        "{% macro m() %}a{% endmacro %}select {{ m }};",
        "{{ self }}",
    ],
)
def test_a_template_never_pastes(render: Render, body: str) -> None:
    error = refused(render, body)
    assert error.place is not None
    assert error.place.path.name == "t.sql.j2"
    assert "as it is; pass it through" in error.message or "macro" in error.message


@pytest.mark.parametrize(
    "body",
    [
        "select {{ (table | ident)._text }};",
        "select {{ (table | ident).__sql__ }};",
        "select {{ (table | ident).__class__('x') }};",
        "select {{ (table | ident).format(table) }};",
        "select {{ (table | ident).replace('m', 'x') }};",
        "select {{ table.__class__.__mro__ }};",
        "select {{ fail.__globals__ }};",
        "{% filter ident %}x{% endfilter %}",
        "{% filter default(table) %}{% endfilter %}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
        "{% call '{}'.format(table) %}{% endcall %}",
        "{% include 't.sql.j2' %}",
        "{% extends 't.sql.j2' %}",
        "{% block b %}x{% endblock %}",
        "{% with x = table %}{{ x }}{% endwith %}",
        "{% autoescape true %}{{ table }}{% endautoescape %}",
        "{% import '../t.sql.j2' as x %}select 1;",
        "{% import '/etc/passwd' as x %}select 1;",
        "select {{ table | upper }};",
        "select {{ table | safe }};",
        "select {{ range(3) }};",
        "{% do words.append('x') %}select 1;",
        "{{ words.append('x') }}",
        "{{ many.update({}) }}",
    ],
)
def test_there_is_no_way_around(render: Render, body: str) -> None:
    error = refused(render, body)
    assert error.place is not None
    assert error.place.path.name == "t.sql.j2"


@pytest.mark.parametrize("name", ["safe", "upper", "replace", "join", "map", "format", "attr"])
def test_filters_that_make_text_are_not_there(render: Render, name: str) -> None:
    error = refused(render, f"select {{{{ table | {name} }}}};")
    assert f"No filter named '{name}'" in error.message
    assert error.hint is not None
    assert error.hint.startswith("filters: ident, idents, qualified, literal")


def test_names_that_differ_in_case_alone_are_two() -> None:
    call = 'grants(table="t", to={"App": ["select"], "app": ["insert"]})'
    assert 'from public, anon, authenticated, "App", app;' in stamp(call)
    assert "'App', 'app'" in stamp(call, Target.VERIFY)


def test_what_filters_print(render: Render) -> None:
    body = """-- {{ table | visible }}: {{ words | listing }}, {{ ["a", "b", "c"] | listing }}
select {{ table | ident }}, {{ ["a", "B"] | idents }}, {{ (table, "x") | qualified }},
  {{ table | literal }}, {{ number | literal }}, {{ flag | literal }}, {{ said | literal }},
  {{ ["it's", "b"] | literals }};
{{ "select" | keyword }} 1; grant {{ ["select", "insert"] | keywords }} on a to b;
"""
    assert (
        render(body)
        == """-- my table: select, a, b and c
select "my table", a, "B", "my table".x,
  'my table', 1, false, null,
  'it''s', 'b';
select 1; grant select, insert on a to b;
"""
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{{ 'drop' | keyword }}", "'drop' is not one of the keywords"),
        ("{{ ['select', 'x y'] | keywords }}", "'x y' is not one of the keywords"),
        ("{{ number | ident }}", "1 is not a text"),
        ("{{ words | ident }}", "['select'] is not a text"),
        ("{{ table | idents }}", "'my table' is not a list of names"),
        ("{{ table | ident | ident }}", "is not a text"),
        ("{{ hops | literal }}", "[] is not a string, a number"),
        ("{{ '' | ident }}", "a name cannot be empty"),
        ("{{ ('x' ~ 'y' * 63) | ident }}", "is 64 bytes long"),
        ("{{ fail('not ' ~ table) }}", "not my table"),
        ("{{ 'a, b' | subquery }}", "a, b is not an SQL expression"),
        ("{{ number | subquery }}", "1 is not a text"),
    ],
)
def test_what_filters_refuse_is_told_at_the_stamp(
    render: Render, tmp_path: Path, body: str, message: str
) -> None:
    error = refused(render, f"select 1;\n{body}")
    assert message in error.message
    assert str(error.place) == "001_a.sql:1:1"
    assert error.notes == [f"in {tmp_path / 't.sql.j2'}:{HEADER.count(chr(10)) + 2}"]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("auth.uid()", "(select auth.uid())"),
        ("(select auth.jwt() ->> 'sub')", "(select auth.jwt() ->> 'sub')"),
        ("(select a) = (select b)", "(select (select a) = (select b))"),
        ("(a) in (select b)", "(select (a) in (select b))"),
        ("exists (select)", "(select exists (select))"),
        ("array(select a)", "(select array(select a))"),
        ("current_setting('app.id', true)::uuid", "(select current_setting('app.id', true)::uuid)"),
        ("case when a then '--' end", "(select case when a then '--' end)"),
    ],
)
def test_an_expression_is_asked_for_once(render: Render, written: str, printed: str) -> None:
    found = render("select {{ asked | subquery }};", f't(table="x", asked="{written}")')
    assert found == f"select {printed};\n"


@pytest.mark.parametrize(
    "written",
    ["", "a b", "a, b", "a; b", "a) or (true", "a -- b", "a /* b */", "a from t", "a union select b",
     "distinct a", "a where b", "select a", "a\\nb", "'", "\\u202ea", "a into t", "*) from (t"],
)  # fmt: skip
def test_what_is_more_or_less_than_an_expression_is_refused(render: Render, written: str) -> None:
    error = refused(render, "select {{ asked | subquery }};", f't(table="x", asked="{written}")')
    assert "asked: " in error.message
    assert error.hint == "asked is: expression"


def test_macros_and_blocks_carry_what_was_quoted(render: Render) -> None:
    body = """{% macro same(a) %}{{ a | ident }} = {{ a | literal }}{% endmacro %}
{% set both %}{{ same(table) }} or {{ same("x") }}{% endset %}
select {{ both }};
"""
    assert render(body) == """select "my table" = 'my table' or x = 'x';\n"""


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("select {{ table | visible }};", "my table"),
        ("select '{{ table | visible }}';", "my table"),
        ("/* {{ table | visible }} */ select 1;", "my table"),
        ("-- a\nselect {{ words | listing }};", "select"),
    ],
)
def test_a_text_for_comments_stays_in_comments(render: Render, body: str, at: str) -> None:
    error = refused(render, body)
    assert "outside of a `--` comment" in error.message
    assert at in str(error.statement)


# What a template gives has to be SQL.


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("selct 1;", 'syntax error at or near "selct"'),
        ("select 1;\nselect 'open;", "unterminated quoted string"),
        ("-- {{ table | visible }}\nselect 'open;", "unterminated quoted string"),
        ("", "gives nothing for these arguments"),
        ("{% if flag %}select 1;{% endif %}", "gives nothing for these arguments"),
        ("select 1;\n-- end stamp\n", "prints the line '-- end stamp'"),
        ("-- stamp: x()\n", "prints the line '-- stamp: x()'"),
    ],
)
def test_what_is_no_expansion(render: Render, body: str, message: str) -> None:
    assert message in refused(render, body).message


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        ("select {{ tabel | ident }};", "'tabel' is undefined", 1),
        ("select 1;\n{% if nope %}{% endif %}", "'nope' is undefined", 2),
        ("\n{% for x in nope %}{% endfor %}", "'nope' is undefined", 2),
        ("select {{ hops[0].table | ident }};", "list object has no element 0", 1),
        ("select {{ many.nope | ident }};", "has no attribute 'nope'", 1),
        ("select 1;\n\n{{ table | nope }}", "No filter named 'nope'", 3),
        ("select 1;\n{% if table %}", "Unexpected end of template", 2),
        ("select 1;\n{{ table", "unexpected end of template", 2),
        ("select 1;\n{{ 1 + table }}", "TypeError", 2),
        ("select 1;\n{{ 1 / 0 }}", "ZeroDivisionError", 2),
    ],
)
def test_a_wrong_template_is_told_at_its_line(
    render: Render, tmp_path: Path, body: str, message: str, line: int
) -> None:
    error = refused(render, body)
    assert message in error.message
    assert str(error.place) == f"{tmp_path / 't.sql.j2'}:{HEADER.count(chr(10)) + line}"
    assert error.notes == ["stamped at 001_a.sql:1:1"]


def test_an_undefined_variable_names_what_is_declared(render: Render) -> None:
    hint = refused(render, "{{ tabel | ident }}").hint
    assert hint == "declared: table, words, hops, many, number, flag, said, who, asked"


def test_an_imported_file_has_its_own_errors(render: Render, tmp_path: Path) -> None:
    (tmp_path / "_m.sql.j2").write_text("{% macro m(a) %}\n{{ a }}\n{% endmacro %}")
    error = refused(render, "{% import '_m.sql.j2' as m %}{{ m.m(table) }}")
    assert str(error.place) == f"{tmp_path / '_m.sql.j2'}:2"
    (tmp_path / "_m.sql.j2").write_text("{% macro m(a) %}\n{% include 'x' %}{% endmacro %}")
    error = refused(render, "{% import '_m.sql.j2' as m %}{{ m.m(table) }}")
    assert str(error.place) == f"{tmp_path / '_m.sql.j2'}:2"
    error = refused(render, "{% import '_n.sql.j2' as m %}{{ m.m(table) }}")
    assert error.message == "it imports _n.sql.j2, which is not beside it"


# Arguments.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "t needs the argument table: the table"),
        ("table=1", "table is the number 1, not a name"),
        ("table=null", "table is null, not a name"),
        ("table=true", "table is true, not a name"),
        ('table=["a"]', "table is a list, not a name"),
        ('table={"a": 1}', "table is a map, not a name"),
        ('table=""', "table: a name cannot be empty"),
        ('table="%s"' % ("x" * 64), "table: the name " + "x" * 64 + " is 64 bytes long"),
        ('table="a", tabel="b"', "t takes no argument tabel; did you mean table?"),
        ('table="a", zzzzzz="b"', "t takes no argument zzzzzz (there is: table, words"),
        ('table="a", words="select"', "words is a string, not a list"),
        ('table="a", words=["Select"]', "words[0] is Select, not one of select, insert; did you"),
        ('table="a", words=["drop"]', "words[0] is drop, not one of select, insert"),
        ('table="a", words=[3]', "words[0] is the number 3, not one of select, insert"),
        ('table="a", words=["select", "select"]', "words names select twice"),
        ('table="a", number="1"', "number is a string, not an integer"),
        ('table="a", number=true', "number is true, not an integer"),
        ('table="a", flag=1', "flag is the number 1, not a boolean"),
        ('table="a", said=1', "said is the number 1, not a text"),
        ('table="a", hops={}', "hops is a map, not a list"),
        ('table="a", hops=["x"]', "hops[0] is a string, not a hop ({…})"),
        ('table="a", hops=[{}]', "hops[0] lacks table: its table"),
        ('table="a", hops=[{"table": 1}]', "hops[0].table is the number 1, not a name"),
        ('table="a", hops=[{"table": "a", "kye": "b"}]', "hops[0] has no kye; did you mean key?"),
        ('table="a", many=[]', "many is a list, not a map ({…})"),
        ('table="a", many={"": ["a"]}', "a key of many: a name cannot be empty"),
        ('table="a", many={"public": ["a"]}', "public is everyone, anonymous callers included"),
        ('table="a", many={"none": ["a"]}', "PostgreSQL has no role of the name none"),
        ('table="a", many={"r": []}', "many[r] is an empty list"),
        ('table="a", who="none"', "who: PostgreSQL has no role of the name none"),
    ],
)
def test_a_wrong_argument(render: Render, arguments: str, message: str) -> None:
    error = refused(render, "select 1;", f"t({arguments})")
    assert message in error.message
    assert error.place is not None
    assert error.place.path == Path("001_a.sql")
    assert error.hint


def test_the_place_and_the_type_of_a_wrong_argument(render: Render) -> None:
    error = refused(render, "select 1;", 't(table="a", words=["drop"])')
    assert str(error.place) == "001_a.sql:1:14"
    assert error.hint == "words is: list of select|insert"


def test_defaults_are_filled_in(render: Render) -> None:
    body = "select {{ words | literals }}, {{ hops[0].key | literal }}, {{ said | literal }};"
    line = 't(table="a", hops=[{"table": "b"}], said=null, words=null)'
    assert render(body, line) == "select 'select', 'id', null;\n"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "does not declare its arguments"),
        ("{# pgvouch: nothing #}", "does not declare its arguments"),
        ('{#- pgvouch\ndoc = "x\n-#}', "is not TOML"),
        ('{#- pgvouch\ndoc = "x"\n-#}', "it lacks sample"),
        ("{#- pgvouch\nsample = 't()'\n-#}", "it lacks doc"),
        ("{#- pgvouch\ndoc = 'x'\nsample = 't('\n-#}", "the parenthesis that opens here"),
        ("{#- pgvouch\ndoc = 'x'\nsample = 'u()'\n-#}", "the template's sample calls u"),
        ("{#- pgvouch\ndoc = 'x'\nsample = 't()'\nargs = 1\n-#}", "unknown key args"),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\nfor = { type = 'name' }\n-#}",
            "for is a word of Python, so no call can name it",
        ),
        ("{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\na = 1\n-#}", "a is not { type"),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\na = {type='name'}\n-#}",
            "a lacks doc",
        ),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\na = {type='nme', doc='x'}\n-#}",
            "'nme' is not a type",
        ),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\n"
            "a = {type='list of nme', doc='x'}\n-#}",
            "'nme' is not a type",
        ),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\n"
            "a = {type='name', doc='x', default=3}\n-#}",
            "the default of a is the number 3, not a name",
        ),
        (
            "{#- pgvouch\ndoc = 'x'\nsample = 't()'\n[arguments]\n"
            "a = {type='name', doc='x', optional=1}\n-#}",
            "optional of a is the number 1",
        ),
    ],
)
def test_a_wrong_declaration(render: Render, tmp_path: Path, header: str, message: str) -> None:
    error = refused(render, "select 1;", header=header)
    assert message in error.message
    assert error.place is not None
    assert error.place.path == tmp_path / "t.sql.j2"


def test_toml_errors_have_their_line(render: Render) -> None:
    error = refused(render, "", header='{#- pgvouch\ndoc = "x"\nsample = \n-#}')
    assert error.place is not None
    assert error.place.line == 3


# Where templates are.


def test_an_unknown_template_names_its_near_misses() -> None:
    with pytest.raises(StampError) as caught:
        stamp('owner_policy(table="a")')
    assert caught.value.message == "there is no template owner_policy; did you mean owner_policies?"
    with pytest.raises(StampError) as caught:
        stamp("zzz()")
    assert f"there is: {', '.join(STOCK.names())}" in caught.value.message
    assert "stamp --list" in str(caught.value.hint)


def test_a_file_for_import_is_no_template() -> None:
    with pytest.raises(StampError, match="there is no template _policies"):
        stamp("_policies()")


PROMISES = ("malformed_callers",)
"""What only promises is a verify file alone."""


def test_the_stock_set_is_families_in_threes() -> None:
    assert set(FAMILIES) <= set(STOCK.names())
    for name in STOCK.names():
        family = STOCK.family(name)
        assert family.origin == "stock"
        parts = [Target.VERIFY] if name in PROMISES else list(Target)
        assert [part for part in Target if family.path(part).is_file()] == parts


def test_a_family_of_checks_alone_stands_in_a_verify_file(tmp_path: Path) -> None:
    (tmp_path / "t.verify.sql.j2").write_text(HEADER + "select {{ table | literal }};")
    line, templates = 't(table="projects")', Templates(tmp_path)
    assert stamp(line, Target.VERIFY, templates) == "select 'projects';\n"
    for part in (Target.MIGRATION, Target.ROLLBACK):
        with pytest.raises(StampError, match="t is a check: it belongs in a verify file"):
            stamp(line, part, templates)
    [(family, _)] = [shown for shown in list_templates(templates) if shown[0].origin == "project"]
    assert (family.name, family.path(family.main).name) == ("t", "t.verify.sql.j2")


def test_the_stock_set_is_found_in_a_source_tree() -> None:
    assert (stock_folder() / "owner_policies.sql.j2").is_file()


def test_the_stock_set_of_a_wheel_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    assert stock_folder() == tmp_path / "templates"


def test_a_project_template_of_the_same_name_wins_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "grants.sql.j2").write_text(
        HEADER.replace("t(", "grants(") + "select {{ table | literal }};"
    )
    templates = Templates(tmp_path)
    assert templates.names() == STOCK.names()
    assert stamp('grants(table="a")', templates=templates) == "select 'a';\n"
    with pytest.raises(StampError) as caught:
        stamp('grants(table="a")', Target.VERIFY, templates)
    assert caught.value.message == "grants has no template for a verify file"
    assert caught.value.hint == f"write {tmp_path / 'grants.verify.sql.j2'}"


def test_a_project_template_may_import_from_the_stock_set(tmp_path: Path) -> None:
    body = """{% import "_policies.sql.j2" as policies %}select {{ policies.everything() }};"""
    (tmp_path / "t.sql.j2").write_text(HEADER + body)
    assert stamp('t(table="a")', templates=Templates(tmp_path)) == "select true;\n"


def test_a_project_whose_folder_is_the_stock_set_has_each_template_once() -> None:
    listed = list_templates(Templates(stock_folder()))
    assert {family.origin for family, _ in listed} == {"stock"}


def test_a_missing_project_folder_is_no_error(tmp_path: Path) -> None:
    assert Templates(tmp_path / "none").names() == STOCK.names()


def test_a_template_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.sql.j2").write_bytes(b"\xff")
    with pytest.raises(StampError, match="byte 0 is not UTF-8"):
        stamp("t()", templates=Templates(tmp_path))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_list_shows_arguments_and_a_sample(name: str) -> None:
    [(family, expansion)] = [
        shown for shown in list_templates(Templates()) if shown[0].name == name
    ]
    assert family.origin == "stock"
    assert family.path(family.main).name == f"{name}.sql.j2"
    sample = family.declaration.sample_text
    assert sample.startswith(f"{name}(table=")
    assert expansion == stamp(sample)
    table, *others = family.declaration.parameters
    assert (table.name, table.type, table.required) == ("table", "name", True)
    assert all(argument.doc and argument.type for argument in others)


def test_the_list_shows_templates_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "t.sql.j2").write_text(HEADER + "select {{ table | literal }};")
    listed = list_templates(Templates(tmp_path))
    [(family, expansion)] = [shown for shown in listed if shown[0].origin == "project"]
    declared = family.declaration
    assert (family.name, declared.doc, expansion) == ("t", "a sample", "select 'projects';\n")
    assert [a.name for a in declared.parameters if a.required] == ["table"]


def test_importing_the_package_imports_no_library() -> None:
    code = "import sys, pgvouch.stamp; print({'jinja2', 'postgast', 'yoyo'} & set(sys.modules))"
    path = ":".join(p for p in sys.path if p)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": path},
    )
    assert ran.stdout.strip() == "set()"


def test_a_family_knows_its_files() -> None:
    family: Family = STOCK.family("grants")
    assert family.path(Target.ROLLBACK).name == "grants.rollback.sql.j2"

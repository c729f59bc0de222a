"""Large and deep files: what they need of memory and time, measured in a process of their own."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Folder

MOST_MB = 200
# Generous: a quadratic search in a megabyte takes minutes, whatever the machine.
MOST_S = 40

OK = "create table a (id int, name text, body text);\n"
_ROW = "insert into a values ({0}, 'name {0}', '" + "x" * 176 + "');\n"
_PROGRAM = """
import json, sys
from pgvouch.cli.main import run
code = run(sys.argv[2:], {})
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
open(sys.argv[1], "w").write(json.dumps([code, int(status["VmHWM"].split()[0]) // 1024]))
"""


@dataclass(frozen=True)
class Case:
    """A file to be made, and what comes of it."""

    text: Callable[[], str]
    code: int = 0
    says: tuple[str, ...] = ()
    at: str = ""
    rows: int | None = None
    """How many rows the table `a` has afterwards; None where it is not there."""
    checks: str = ""
    """The file in verify/."""


def _rows(count: int) -> str:
    return OK + "".join(_ROW.format(number) for number in range(count))


def _one_insert(count: int, end: str) -> str:
    values = ",\n".join(f"({number}, 'name {number}', '{'x' * 80}')" for number in range(count))
    return f"{OK}insert into a values\n{values}{end}"


def _words(count: int) -> str:
    """Every row holds what a hasty look would take for something else."""
    body = (
        "\\copy a from stdin\ncommit;\nvacuum; alter type x add value ''y''; set transaction; "
        "create index concurrently -- /* $$ \u00a0\u2019"
    )
    return OK + "".join(f"insert into a values ({n}, '', '{body}');\n" for n in range(count))


CASES = {
    "22 MB, 100,000 statements, one letter outside the BMP": Case(
        lambda: _rows(100_000) + "select '🐘';", rows=100_000
    ),
    "22 MB, 100,000 statements, the last one fails at run time": Case(
        lambda: _rows(100_000) + "select 1 / (id - id) from a;",
        1,
        ("22012", "| select 1 / (id - id) from a"),
        "001_a.sql:100002:1",
    ),
    "11 MB, 50,000 statements, one letter outside the BMP, the last one fails": Case(
        lambda: _rows(50_000) + "select '🐘', nope;", 1, ("42703",), "001_a.sql:50002:13"
    ),
    "5 MB, 25,000 statements, a syntax error at the end": Case(
        lambda: _rows(25_000) + "selec 1;", 1, ("42601", "| selec 1"), "001_a.sql:25002:1"
    ),
    "one statement of 20 MB that fails at run time": Case(
        lambda: _one_insert(200_000, ", ((random() * 0)::int / (random() * 0)::int, '', '');"),
        1,
        ("22012",),
        "001_a.sql:2:1",
    ),
    "4 MB of words that mean nothing": Case(lambda: _words(25_000), rows=25_000),
    "4 MB in one dollar quote": Case(
        lambda: (
            OK
            + "create function f() returns void language plpgsql as $f$begin perform $x$"
            + "it's ; \n" * 500_000
            + "$x$; end$f$;"
        ),
        rows=0,
    ),
    "5 MB on one line, with an error at its end": Case(
        lambda: OK + "select '" + "x" * 5_000_000 + "' from from;",
        1,
        ("42601",),
        "001_a.sql:2:5000016",
    ),
    "a name of 5 MB": Case(lambda: OK + "select 1 as " + "x" * 5_000_000 + ";", rows=0),
    "a million semicolons": Case(lambda: ";" * 1_000_000, 0, ("holds no statement",)),
    "2 MB of empty lines": Case(lambda: "\n" * 2_000_000 + OK, rows=0),
    "100,000 lines of comments": Case(lambda: "-- a comment\n" * 100_000 + OK, rows=0),
    "a header of blanks": Case(lambda: "-- x" + " " * 1_000_000 + "y\n" + OK, rows=0),
    "a header of words": Case(lambda: "-- x" + " y" * 1_000_000 + ": z\n" + OK, rows=0),
    "dashes": Case(lambda: OK + "alter" + " --" * 300_000 + "\n table a add y int;", rows=0),
    "COPY, again and again": Case(
        lambda: OK + "select '" + "copy a from " * 300_000 + "from stdin';", rows=0
    ),
    "comments in comments": Case(
        lambda: "/* " * 300_000 + "*/ " * 300_000 + OK + "-- vacuum", rows=0
    ),
    "a comment that is not closed": Case(
        lambda: OK + "select 1;\n" * 50_000 + "/* " * 300_000, 1, ("unterminated /* comment",)
    ),
    "a quote that is not closed": Case(
        lambda: OK + "select 1;\n" * 50_000 + "select '" + "x\n" * 1_000_000,
        1,
        ("unterminated quoted string", "is never closed"),
        "001_a.sql:50002:8",
    ),
    "a million parentheses": Case(
        lambda: OK + "select " + "(" * 1_000_000 + "1" + ")" * 1_000_000 + ";", 1, ("42601",)
    ),
    "a sum of 200,000 numbers": Case(
        lambda: OK + "select " + "+".join(["1"] * 200_000) + ";", 1, ("54001",), "001_a.sql:2:"
    ),
    "100,000 notices and a warning": Case(
        lambda: (
            OK + "do $$begin for i in 1..100000 loop raise notice 'n %', i; end loop; "
            "raise warning 'the last word'; end$$;"
        ),
        0,
        ("WARNING: the last word",),
        rows=0,
    ),
    "a warning of 5 MB": Case(
        lambda: OK + "do $$begin raise warning '%', repeat('x', 5000000); end$$;",
        0,
        ("(5,000,000 characters)",),
        rows=0,
    ),
    "an error with 5 MB each of message, detail and hint": Case(
        lambda: (
            OK + "do $$begin raise exception '%', repeat('x', 5000000) using "
            "detail = repeat('y', 5000000), hint = repeat('z', 5000000); end$$;"
        ),
        1,
        (
            "001_a failed: xxx",
            "server  P0001\n",
            "detail  yyy",
            "hint    zzz",
            "(5,000,000 characters)",
        ),
        "001_a.sql:2:1",
    ),
    "a million rows for nobody": Case(
        lambda: OK + "select i, repeat('x', 200) from generate_series(1, 1000000) i;", rows=0
    ),
    "a gigabyte for nobody": Case(
        lambda: OK + "select i, repeat('x', 200) from generate_series(1, 5000000) i", rows=0
    ),
    "one value of 300 MB for nobody": Case(
        lambda: OK + "select repeat('x', 300000000);",
        1,
        ("001_a makes the server send more than 16 MB in one piece", "Nothing of 001_a is"),
    ),
    "an error of 100 MB": Case(
        lambda: OK + "do $$begin raise '%', repeat('x', 100000000); end$$;",
        1,
        ("more than 16 MB in one piece", "Nothing of 001_a is in the database."),
    ),
    "a notice of 100 MB": Case(
        lambda: OK + "do $$begin raise warning '%', repeat('x', 100000000); end$$;",
        1,
        ("more than 16 MB in one piece", "Nothing of 001_a is in the database."),
    ),
    "5,000,000 rows where a check wants none": Case(
        lambda: OK,
        1,
        (
            "expected no row",
            "found    (1), (2), (3), (4), (5), (6), (7), (8), (9), (10) and 4,999,990 more",
        ),
        checks="-- check none: x\nselect generate_series(1, 5000000);\n",
    ),
    "5,000,000 rows, all true": Case(
        lambda: OK,
        rows=0,
        checks="-- check: x\nselect true, repeat('x', 50) from generate_series(1, 5000000);\n",
    ),
    "5,000,000 rows, the last one false": Case(
        lambda: OK,
        1,
        ("(t), (t) and 4,999,990 more",),
        checks="-- check: x\nselect i < 5000000 from generate_series(1, 5000000) as i;\n",
    ),
    "a million rows before and after, in another order": Case(
        lambda: OK,
        rows=0,
        checks="-- same: x\n-- before:\nselect i, 'x' || i from generate_series(1, 1000000) as i;\n"
        "-- after:\nselect i, 'x' || i from generate_series(1000000, 1, -1) as i;\n",
    ),
    "a million rows before and after, one of them other": Case(
        lambda: OK,
        1,
        ("and 999,990 more",),
        checks="-- same: x\n-- before:\nselect i, 'x' from generate_series(1, 1000000) as i;\n"
        "-- after:\nselect i, case i when 77 then 'y' else 'x' end "
        "from generate_series(1000000, 1, -1) as i;\n",
    ),
    "3,000 statements, one by one": Case(
        lambda: "-- transactional: false\n" + OK + "insert into a values (1);\n" * 2_999,
        rows=2_999,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_memory_and_time(folder: Folder, name: str) -> None:
    case = CASES[name]
    (folder.path / "001_a.sql").write_text(case.text())
    if case.checks:
        folder.write({"verify/001_a.sql": case.checks})
    measured = folder.root / "measured.json"
    command = [sys.executable, "-c", _PROGRAM, str(measured), "migrate"]
    command += ["--migrations", str(folder.path), "--url", folder.url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=MOST_S, check=False)
    said = ran.stdout + ran.stderr
    assert measured.exists(), said[-2000:]
    code, peak_mb = json.loads(measured.read_text())
    print(f"peak {peak_mb} MB")
    assert code == case.code, said[:2000]
    assert peak_mb < MOST_MB
    assert len(said) < 10_000
    for fragment in case.says:
        assert fragment in said
    assert case.at in said
    _check_table(folder, case)


def _check_table(folder: Folder, case: Case) -> None:
    assert folder.query("select to_regclass('a') is null") == [(case.rows is None,)]
    if case.rows is not None:
        assert folder.query("select count(*) from a") == [(case.rows,)]


def test_the_measure_itself(folder: Folder) -> None:
    """Memory that is taken and given back shows in the peak."""
    measured = Path(folder.root / "measured.json")
    program = "x = bytearray(300 << 20); del x\n" + _PROGRAM
    command = [sys.executable, "-c", program, str(measured), "status"]
    command += ["--migrations", str(folder.path), "--url", folder.url]
    folder.write({"001_a.sql": OK})
    subprocess.run(command, capture_output=True, check=True, timeout=MOST_S)
    assert json.loads(measured.read_text())[1] > 300

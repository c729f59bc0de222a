"""What Debian 12's Python 3.11.2 reads differently is not used, and the texts are read there too."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from pgvouch.sqltext.scan import GAP

PACKAGE = ROOT / "runner" / "pgvouch"
DEBIAN = Path("/usr/bin/python3")
READING = ("test_sqltext.py", "test_statements.py", "test_pythons.py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_pattern_is_possessive_or_atomic(path: Path) -> None:
    """Python 3.11 up to 3.11.4 gets nested possessive quantifiers and atomic groups wrong."""
    tree = ast.parse(path.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    patterns = [text for text in texts if isinstance(text, str)]
    assert [p for p in patterns if re.search(r"(?<!\\)[*+?}]\+|\(\?>", p)] == []


@pytest.mark.parametrize(
    ("text", "is_gap"),
    [
        (" /* x */ ", True),
        ("/**/", True),
        ("/* a * b ** c */", True),
        ("-- x\n/* y */\t", True),
        ("/* outer /* inner */ end", False),
        ("/* nested /* one */ */", True),
        (" x ", False),
        ("/* open", False),
        ("", False),
    ],
)
def test_a_gap_is_blanks_and_comments(text: str, is_gap: bool) -> None:
    assert bool(re.fullmatch(GAP, text)) is is_gap


@pytest.mark.parametrize("filling", ["-", "*", "/*", "*/", " ", "--\n", "/**/"])
def test_a_long_gap_is_read_in_linear_time(filling: str) -> None:
    """An exponential or quadratic pattern would not come back from this."""
    assert re.search(f"a{GAP}b", "a" + filling * 100_000 + "!") is None


@pytest.mark.skipif(
    not DEBIAN.exists() or DEBIAN.resolve() == Path(sys.executable).resolve(),
    reason="there is no other Python here",
)
def test_texts_are_read_alike_on_debian_s_python() -> None:
    version = "import sys; print(*sys.version_info[:2])"
    ran = subprocess.run([DEBIAN, "-c", version], capture_output=True, text=True, check=True)
    if ran.stdout.split() != [str(part) for part in sys.version_info[:2]]:
        pytest.skip("it cannot use these packages")
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*packages, str(PACKAGE.parent)])}
    tests = [str(ROOT / "tests" / "unit" / name) for name in READING]
    chosen = ["-k", "not debian", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [DEBIAN, "-m", "pytest", "-q", *chosen, *tests],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

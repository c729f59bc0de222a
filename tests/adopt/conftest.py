"""The tools themselves, where a registry has them."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "tools" / "package.json"


@pytest.fixture(scope="session")
def real_tools() -> Path:
    """The folder of the programs that tests/adopt/tools/package.json names, installed once."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here, which has the tools")
    digest = hashlib.sha256(PACKAGE.read_bytes()).hexdigest()[:16]
    root = Path.home() / ".cache" / "pgvouch-test-tools"
    programs = root / digest / "node_modules" / ".bin"
    if not programs.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=root))
        shutil.copy(PACKAGE, scratch)
        given = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--no-package-lock"]
        ran = subprocess.run([npm, *given], cwd=scratch, capture_output=True, check=False)
        if ran.returncode != 0:
            shutil.rmtree(scratch)
            pytest.skip(f"npm cannot install the tools: {ran.stderr.decode()[-300:]}")
        try:
            os.rename(scratch, root / digest)  # noqa: PTH104 - refuses a folder that is not empty
        except OSError:  # another worker was first
            shutil.rmtree(scratch)
    return programs

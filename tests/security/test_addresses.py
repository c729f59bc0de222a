"""Connection strings of other programs: a password in them is not taken for something to print."""

from pathlib import Path

import pytest

from pgvouch.address.conninfo import parts_of
from pgvouch.cli import main
from pgvouch.errors import UsageError


@pytest.mark.parametrize(
    "text", ["postgresql://u:x/S3cr3t?port=1", "postgresql://u:S3cr3t", "postgresql://u:S3cr3t/d"]
)
def test_a_user_and_a_password_without_a_host(text: str) -> None:
    with pytest.raises(UsageError, match="a port that is not a number") as caught:
        parts_of(text)
    assert "S3cr3t" not in repr(vars(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h:5432/d",
        "postgresql://h/d",
        "postgresql://a:1,b:2/d",
        "postgresql://[::1]:5432/d",
        "postgresql://[::1]/d",
        "postgresql:///d?host=/tmp",
        "postgresql://",
    ],
)
def test_a_host_and_a_port_are_fine(text: str) -> None:
    assert parts_of(text)["dbname"] == "d" if "d" in text[12:] else parts_of(text) is not None


@pytest.mark.parametrize("text", ["host=127.0.0.1;password=S3cr3t", "host=h;Pass_Word=S3cr3t"])
def test_settings_between_semicolons_are_not_a_host(text: str) -> None:
    """Other drivers write them so; libpq takes all of it for the host's name."""
    with pytest.raises(UsageError) as caught:
        parts_of(text)
    assert "S3cr3t" not in repr(vars(caught.value))


@pytest.mark.parametrize(
    "words",
    [
        "migrate --config {}",
        "migrate --migrations {}",
        "migrate --url{}",
        "migrate {}",
        "stamp {}",
        "new {}",
        "rollback --to {}",
        "accept {} --why x",
        "server url {}",
        "server psql {}",
        "entrypoint {}",
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=str)
def test_a_url_at_a_wrong_place_is_not_repeated(
    words: str,
    form: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_a.sql").write_text("select 1;")
    url = "postgresql://me:S3cr3t/@x@localhost/d"
    command, *rest = [word.format(url) for word in words.split()]
    nowhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/d"}
    assert main.run([command, *form, *rest], nowhere) != 0
    said = "".join(capsys.readouterr())
    assert said
    assert "S3cr3t" not in said
    assert "@x" not in said


def test_a_place_without_a_name_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_a.sql").write_text("select 1;")
    monkeypatch.setenv("PGHOST", str(tmp_path))
    assert main.run(["status", "--url", "postgresql://"], {}) == 5
    assert "error: no connection to the server\n" in capsys.readouterr().err
    assert main.run(["status", "--url", "postgresql://nohost.invalid/d"], {}) == 5
    assert "is the host right" in capsys.readouterr().err

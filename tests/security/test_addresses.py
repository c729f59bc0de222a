"""Connection strings of other programs: a password in them is not taken for something to print."""

import pytest

from pgvouch.address import parts_of
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

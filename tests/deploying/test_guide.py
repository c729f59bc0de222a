"""docs/deploying.md: its YAML is YAML, its commands are commands, its errors are those of the program."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from conftest import ROOT, query
from deploying import documents
from deploying.commands import commands_in, refuse_unknown
from deploying.containers import Container
from faults.processes import ended

GUIDE = (ROOT / "docs" / "deploying.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
YAML = [
    document
    for kind, body in BLOCKS
    if kind == "yaml"
    for document in documents.load_all(body)
    if isinstance(document, dict)
]
PROSE = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
INLINE = re.findall(r"`(pgvouch[^`]*)`", PROSE)


def _of_kind(kind: str) -> dict[str, Any]:
    (found,) = (d for d in YAML if d.get("kind") == kind)
    return dict(found)


def _workflow() -> dict[str, Any]:
    (found,) = (d for d in YAML if "jobs" in d)
    return dict(found)


def _pods() -> list[tuple[str, dict[str, Any]]]:
    """Every container of the Kubernetes examples, with what its pod is."""
    found = []
    for document in YAML:
        spec = document.get("spec", {}).get("template", {}).get("spec", document)
        for key in ("initContainers", "containers"):
            found += [(key, container) for container in spec.get(key, [])]
    return found


def test_the_examples_are_all_there() -> None:
    kinds = ["services", "kind", "kind", "initContainers", "jobs", "repos"]
    assert [kind in document for kind, document in zip(kinds, YAML, strict=True)] == [True] * 6


def test_every_command_is_one() -> None:
    found = [words for document in YAML for words in commands_in(document)]
    assert len(found) >= 12
    for words in found:
        refuse_unknown(words)
    assert len(INLINE) >= 20
    for text in INLINE:
        refuse_unknown(shlex.split(text), whole=False)


@pytest.mark.parametrize(
    "text", ["pgvouch migrat", "pgvouch migrate --dry", "pgvouch wait --for-schema --steps 2"]
)
def test_a_command_that_is_none_is_noticed(text: str) -> None:
    with pytest.raises(click.UsageError):
        refuse_unknown(text.split())


def test_a_job_comes_first_and_the_replicas_wait_for_it() -> None:
    job, deployment = _of_kind("Job"), _of_kind("Deployment")
    spec = job["spec"]
    assert int(spec["backoffLimit"]) > 0
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy asks for it
    (migrate,) = pod["containers"]
    assert migrate["args"][:2] == ["pgvouch", "migrate"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == migrate["name"]
    # 5 and 143 may go better the next time.
    assert rule["onExitCodes"]["values"] == ["1", "2", "4"]
    template = deployment["spec"]["template"]
    (schema,) = template["spec"]["initContainers"]
    assert schema["args"][:3] == ["pgvouch", "wait", "--for-schema"]
    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    minutes = int(schema["args"][-1].removesuffix("min"))
    assert int(deployment["spec"]["progressDeadlineSeconds"]) > minutes * 60
    assert len({container["image"] for _, container in _pods()}) == 1


def test_each_pod_has_the_role_that_it_needs_and_no_password_in_its_url() -> None:
    roles = {}
    for kind, container in _pods():
        environment = {entry["name"]: entry for entry in container["env"]}
        url = environment["DATABASE_URL"]["value"]
        (user,) = re.findall(r"^postgresql://(\w+)@", url)
        secret = environment["PGPASSWORD"]["valueFrom"]["secretKeyRef"]["name"]
        assert secret == user.replace("_", "-")
        roles[kind, container["name"]] = user
    assert roles == {
        ("containers", "migrate"): "notes_owner",
        ("initContainers", "schema"): "notes_waiter",
        ("containers", "notes"): "notes_app",
        ("initContainers", "migrate"): "notes_owner",
    }
    assert not re.search(r"postgresql://\w+:\w+@", GUIDE)
    assert "--url postgres" not in GUIDE


def test_the_steps_of_the_workflow_pass(plain: Container) -> None:
    plain.migrations(
        {
            "001_a.sql": "create table a (n int); insert into a values (1);",
            "001_a.rollback.sql": "drop table a;",
            "verify/001_a.sql": "-- check: there is a row\nselect count(*) = 1 from a;",
        }
    )
    (job,) = _workflow()["jobs"].values()
    steps = [step["run"] for step in job["steps"] if step.get("run", "").startswith("pgvouch")]
    assert len(steps) >= 8
    for step in steps:
        code, out, err = ended(plain.run(*shlex.split(step)))
        assert code == 0, (step, out, err)
    assert query(plain.url, "select operation from pgvouch._yoyo_log order by created_at_utc") == [
        (operation,) for operation in ("apply", "rollback", "apply")
    ]
    url = job["env"]["DATABASE_URL"]
    server = job["services"]["postgres"]
    assert url.endswith("/" + server["env"]["POSTGRES_DB"])
    assert job["env"]["PGPASSWORD"] == server["env"]["POSTGRES_PASSWORD"]


def _texts_of_the_program() -> str:
    modules = (ROOT / "runner" / "pgvouch").rglob("*.py")
    nodes = (node for path in modules for node in ast.walk(ast.parse(path.read_text())))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return "\n".join(text for text in constants if isinstance(text, str))


def _rows(heading: str) -> list[list[str]]:
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_what_one_sees_on_a_bad_night_is_what_the_program_says() -> None:
    texts = _texts_of_the_program()
    seen = [re.fullmatch("`([^`]+)`", row[0]) for row in _rows("On a bad night")]
    quoted = [match[1] for match in seen if match]
    assert len(quoted) >= 18
    assert [words for words in quoted if words not in texts] == []


def test_the_times_are_settings() -> None:
    options = [word for row in _rows("Times to choose") for word in re.findall("--[a-z-]+", row[0])]
    assert len(options) == 6
    for option in options:
        refuse_unknown(["pgvouch", "migrate", option, "5"])


def test_the_variables_are_those_of_the_script() -> None:
    script = (ROOT / "docker" / "entrypoint.sh").read_text()
    ours = set(re.findall("PGVOUCH_[A-Z]+", script))
    assert ours == {"PGVOUCH_MIGRATE", "PGVOUCH_WAIT"}
    documented = {row[0].strip("`") for row in _rows("The image") if row[0].isupper()}
    assert documented == {*ours, "DATABASE_URL"}


def test_the_roles_are_those_of_the_script() -> None:
    (shell,) = (body for kind, body in BLOCKS if kind == "sh")
    words = shlex.split(shell.replace("\\\n", " "))
    given = dict(word.split("=") for word in words if "=" in word)
    sql = (ROOT / "docs" / Path(words[words.index("--file") + 1])).read_text()
    assert set(given) == {"owner", "app", "waiter"}
    for name in (*given, "defaults"):
        assert f"\\if :{{?{name}}}" in sql
    assert "--set defaults=off" in GUIDE

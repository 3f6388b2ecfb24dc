"""What is run of a page: every command of its blocks for the shell, whole and in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.aws.deploy_page.__main__ import NOT_RUN, PAGE, SAYS, fault_of, verdict_of
from local.aws.deploy_page.page import PageCommand, commands
from local.aws.deploy_page.shell import Ended, page_shell
from local.proofs.verdict import Verdict

BLOCKS = """# Title
```sh
cat > file <<END
a = "$(
echo 1)"

END
make deploy ENV=dev   # says so

curl -s \\
  --data x
```
## 2. Later
```hcl
bucket = "b"
```
```sh
export A=b
```
"""


def test_commands_come_whole_and_in_order_with_their_headings():
    found = list(commands(BLOCKS))

    assert [(each.section, each.line) for each in found] == [
        ("", "cat > file <<END"),
        ("", "make deploy ENV=dev"),
        ("", "curl -s \\"),
        ("2. Later", "export A=b"),
    ]
    assert found[0].text.endswith('echo 1)"\n\nEND')
    assert found[2].text == "curl -s \\\n  --data x"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        pytest.param("```\nls\n```\n", "does not say its language", id="no language"),
        pytest.param("```sh\ncat <<END\na\n```\n", "ends within a command", id="no end"),
    ],
)
def test_block_that_cannot_be_told_apart_is_refused(page, words):
    with pytest.raises(ValueError, match=words):
        list(commands(page))


def test_every_exception_and_every_expected_answer_is_of_a_command_on_the_page():
    lines = [command.line for command in commands(PAGE.read_text())]

    assert NOT_RUN.keys() | SAYS.keys() <= set(lines)
    assert lines.count("make deploy ENV=dev") == 2


def test_page_names_every_command_of_operators_with_an_environment():
    text = PAGE.read_text()

    for name in ("subscription", "links", "keys", "replay", "query", "dead-letters", "removals", "alarms"):
        assert f"make {name}" in text or f"`{name}`" in text
    assert "make subscription ARGS" not in text
    assert "make query SQL" not in text


def test_what_is_exported_stays_and_the_rest_of_the_world_is_not_there(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    with page_shell(tmp_path, {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, tmp_path / "typed") as shell:
        assert shell.run("export GIVEN=1").status == 0
        assert shell.run('echo "$GIVEN ${SECRET_OF_THE_SHELL:-none}"').printed == "1 none"
        assert shell.run("false").status == 1
        assert shell.run("read -r word; echo got $word", "hello\n").printed == "got hello"
        assert shell.run("cat").printed == ""  # nobody types


FIRST = "make deploy ENV=dev"


@pytest.mark.parametrize(
    ("line", "ended", "hidden", "fault"),
    [
        pytest.param("ls", Ended(0, "", 1.0), {}, "", id="well"),
        pytest.param("ls", Ended(2, "", 1.0), {}, "it ended with 2", id="failed"),
        pytest.param("ls", Ended(0, "a hunter2 b", 1.0), {"key": "hunter2"}, "it prints key", id="secret"),
        pytest.param(FIRST, Ended(2, "The secret x has no\n value yet", 1.0), {}, "", id="no secret yet"),
        pytest.param(FIRST, Ended(0, "", 1.0), {}, "it ended with 0", id="secret from nowhere"),
        pytest.param(
            FIRST, Ended(2, "apply failed", 1.0), {}, "it does not say 'has no value yet'", id="other failure"
        ),
        pytest.param(FIRST, Ended(0, "Strava sends events to x", 1.0), {"key": "y"}, "", id="second deployment"),
        pytest.param(
            FIRST,
            Ended(0, "Done", 1.0),
            {"key": "y"},
            "it does not say 'Strava sends events to'",
            id="no subscription",
        ),
    ],
)
def test_fault_is_a_wrong_end_a_missing_word_or_a_secret(line, ended, hidden, fault):
    assert fault_of(line, ended, hidden) == fault


@pytest.mark.parametrize(
    ("ended", "fault", "figures"),
    [
        pytest.param(Ended(0, "Done", 12.34), "", "12.3 s", id="well"),
        pytest.param(Ended(2, "", 3.0), "it ended with 2", "3.0 s; it ended with 2", id="badly"),
    ],
)
def test_page_of_proofs_has_a_command_with_its_time_and_its_fault(ended, fault, figures):
    command = PageCommand("3. Build it", "make deploy ENV=dev  # the first time")

    assert verdict_of(command, ended, fault) == Verdict("3. Build it", "`make deploy ENV=dev`", figures, not fault)

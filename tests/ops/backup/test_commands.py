"""What the commands of backup and restore say."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from include.errors import BadRequest
from ops.backup import __main__ as command
from ops.backup.decisions import TakenOver
from ops.backup.manifest import read
from ops.backup.restore import Restored
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def test_commands_name_the_system_first_and_say_what_to_do_next(
    tmp_path: Path, place: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "read_overrides", lambda _: {})
    monkeypatch.setenv("STATE_DIR", str(place.root))

    taken = run("take", tmp_path / "to")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "elsewhere"))
    restored = run("restore", tmp_path / "to")

    assert taken.stderr.startswith(f"the system in {place.root}: this only reads")
    assert "keep it as safe as the system" in taken.stdout
    assert restored.stderr.startswith(f"the system in {tmp_path / 'elsewhere'}: this writes")
    assert "Not known: whose data was erased" in restored.stdout
    assert "make reconnects" in restored.stdout
    assert GeneratedSecrets.of(place).cookie_key not in taken.output + restored.output


def test_command_refuses_aws_and_data_that_is_kept_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "read_overrides", lambda _: {"LAKE_URL": "s3://bucket/lake"})
    assert isinstance(run("take", "to").exception, BadRequest)
    monkeypatch.setenv("ENV", "dev")
    assert "docs/recovery.md" in str(run("restore", "to").exception)


@pytest.mark.parametrize(
    ("taken_over", "dry_run", "said"),
    [
        (
            TakenOver((7, 9), ((1, 2),), 3),
            False,
            "Taken over from the replaced state: erasures of 7, 9; changed links: 1→2; 3 rows of mail addresses",
        ),
        (
            TakenOver((), (), 0),
            False,
            "Taken over from the replaced state: erasures of nobody; changed links: none; 0 rows",
        ),
        (TakenOver((7,), (), 0), True, "A restore would take over from the state that is here: erasures of 7; changed"),
        (None, False, "Not known: whose data was erased"),
        (None, True, "There is no state here that can be read, so a restore would not know whose data was erased"),
    ],
)
def test_restore_says_what_was_done_and_a_dry_run_what_would_be(
    backup: Path, taken_over: TakenOver | None, dry_run: bool, said: str
) -> None:
    lines = command.report(Restored(read(backup), taken_over, None), dry_run=dry_run)

    assert any(line.startswith(said) for line in lines)
    assert lines[0].startswith("The backup is whole: " if dry_run else "Restored: ")
    assert ("Nothing was changed." in lines[0]) == dry_run
    assert any(line.startswith("Next:") for line in lines) != dry_run

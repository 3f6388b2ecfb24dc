"""Which installation a command works on, and how it is named before anything else is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import SettingsError
from ops import installation, terraform_outputs
from ops.installation import chosen, installed_settings
from ops.machine.ports import FILE


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without `.env` and without a system."""
    for module in (installation, terraform_outputs):
        monkeypatch.setattr(module, "REPOSITORY", tmp_path)
    return tmp_path


def system(root: Path, web: int = 8420) -> Path:
    """A system that ran in this directory."""
    root.mkdir(parents=True)
    (root / FILE).write_text(f'{{"simulator": 8410, "web": {web}, "airflow": 8430}}')
    return root


def test_command_is_for_the_system_of_make_up_when_nothing_is_named(repository, capsys):
    system(repository / ".state" / "up", web=9000)

    settings = installed_settings()

    assert settings.public_url == "http://127.0.0.1:9000"
    assert capsys.readouterr() == ("", "the system in .state/up, simulated Strava: this only reads.\n")


def test_state_dir_names_another_system(repository, tmp_path, monkeypatch, capsys):
    root = system(tmp_path.parent / f"{tmp_path.name}-elsewhere" / "second")
    monkeypatch.setenv("STATE_DIR", str(root))

    settings = installed_settings("ends a link")

    assert settings.state_url == f"sqlite://{root}/state.sqlite"
    assert capsys.readouterr().err == f"the system in {root}, simulated Strava: this writes, it ends a link.\n"


def test_system_with_credentials_of_an_application_is_named_as_real(repository, capsys):
    system(repository / ".state" / "up")
    (repository / ".env").write_text("STRAVA_CLIENT_ID=12345\nSTRAVA_CLIENT_SECRET=hunter2\n")

    found = chosen()

    assert "hunter2" not in repr(found)
    assert capsys.readouterr().err == "the system in .state/up, real Strava: this only reads.\n"


@pytest.mark.parametrize(
    ("api_url", "strava"),
    [
        pytest.param("https://www.strava.com/api/v3", "real Strava", id="of today"),
        pytest.param("https://api-v3.strava.com", "real Strava", id="from 2027 on"),
        pytest.param("https://notstrava.com/api/v3", "simulated Strava", id="ends as it does"),
        pytest.param("http://127.0.0.1:8410/strava.com", "simulated Strava", id="path"),
    ],
)
def test_strava_is_real_at_its_own_hosts_alone(api_url, strava, repository):
    system(repository / ".state" / "up")
    (repository / ".env").write_text(f"STRAVA_API_URL={api_url}\n")

    assert chosen().name == f"the system in .state/up, {strava}"


def test_system_that_never_ran_is_told_with_the_next_step(repository, monkeypatch, capsys):
    monkeypatch.setenv("STATE_DIR", "nowhere")

    with pytest.raises(SettingsError, match=r"nowhere yet: start one with `make up`, name .* STATE_DIR, or .* ENV=dev"):
        chosen()

    assert not Path("nowhere").exists()

"""Which addresses of queues and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import SettingsError
from include.queue.backend import open_queue
from include.queue.sqlite import SqliteQueue
from include.queue.sqs import SqsQueue


def test_queue_opens_at_an_absolute_path(tmp_path: Path) -> None:
    assert isinstance(open_queue(f"sqlite://{tmp_path}/new/state.sqlite", lambda: 0.0, keep_days=28), SqliteQueue)


def test_queue_opens_at_an_sqs_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "eu-central-1")
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/events"

    assert isinstance(open_queue(url, lambda: 0.0, keep_days=28), SqsQueue)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("sqlite://x", id="relative"),
        pytest.param("amqp:///x", id="amqp"),
        pytest.param("https://sqs.eu-central-1.amazonaws.com/events", id="sqs without an account"),
        pytest.param("https://sqs.example.org/123456789012/events", id="sqs elsewhere"),
        pytest.param("http://sqs.eu-central-1.amazonaws.com/123456789012/events", id="sqs unencrypted"),
    ],
)
def test_other_addresses_are_refused_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match=r"QUEUE_URL .* for example: sqlite:///"):
        open_queue(url, lambda: 0.0, keep_days=28)


def test_setting_is_named_when_the_file_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("this is not a database, and long enough to be looked at" * 20)

    with pytest.raises(SettingsError, match="QUEUE_URL: "):
        open_queue(f"sqlite://{tmp_path}/state.sqlite", lambda: 0.0, keep_days=28)

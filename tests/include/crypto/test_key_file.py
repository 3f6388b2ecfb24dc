"""What is particular to the cipher with a key file."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.crypto.backend import open_cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import CipherError, SettingsError

CONTEXT = {"app": "strava-data-ingest", "athlete_id": "42"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "token.key"


def key_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def document(**changes: object) -> str:
    key = base64.b64encode(b"k" * 32).decode()
    return json.dumps({"active": "one", "keys": {"one": key}, **changes})


def test_key_file_is_created_for_the_owner_alone(path: Path) -> None:
    KeyFileCipher(path)

    assert [found.name for found in path.parent.iterdir()] == ["token.key"]
    assert path.stat().st_mode & 0o777 == 0o600
    stored = json.loads(path.read_text())
    assert [len(base64.b64decode(key)) for key in stored["keys"].values()] == [32]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    text = KeyFileCipher(tmp_path / "a.key").sealer(CONTEXT)(b"x")

    with pytest.raises(CipherError, match="restore the key file"):
        KeyFileCipher(tmp_path / "b.key").decrypt(text, CONTEXT)


def test_one_key_wins_when_many_start_at_once(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        ciphers = list(pool.map(KeyFileCipher, [path] * 8))

    texts = [cipher.sealer(CONTEXT)(b"x") for cipher in ciphers]
    assert [KeyFileCipher(path).decrypt(text, CONTEXT) for text in texts] == [b"x"] * 8


def test_rotation_seals_with_a_new_key_and_opens_old_texts(path: Path) -> None:
    cipher = KeyFileCipher(path)
    old = cipher.sealer(CONTEXT)(b"old")
    key_id = cipher.rotate()
    new = cipher.sealer(CONTEXT)(b"new")

    assert new.split(".")[1] == key_id != old.split(".")[1]
    assert [KeyFileCipher(path).decrypt(text, CONTEXT) for text in (old, new)] == [b"old", b"new"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_running_process_opens_texts_sealed_after_another_rotated(path: Path) -> None:
    running = KeyFileCipher(path)
    other = KeyFileCipher(path)
    other.rotate()

    assert running.decrypt(other.sealer(CONTEXT)(b"x"), CONTEXT) == b"x"


def test_no_key_is_lost_when_many_rotate_at_once(path: Path) -> None:
    ciphers = [KeyFileCipher(path) for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        key_ids = set(pool.map(KeyFileCipher.rotate, ciphers))

    assert len(key_ids) == 6
    assert key_ids < set(json.loads(path.read_text())["keys"])


@pytest.mark.parametrize("mode", [pytest.param(mode, id=f"{mode:04o}") for mode in (0o644, 0o640, 0o604, 0o620, 0o666)])
def test_file_that_others_may_touch_is_refused(path: Path, mode: int) -> None:
    key_file(path, document(), mode)

    with pytest.raises(SettingsError, match=f"KEY_URL: .* mode {mode:04o}.* chmod 600"):
        KeyFileCipher(path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param("{}", id="no fields"),
        pytest.param(document(active="two"), id="active key missing"),
        pytest.param(document(active=["one"]), id="active key is a list"),
        pytest.param(document(keys=[]), id="keys are a list"),
        pytest.param(document(keys={"one": 7}), id="key is a number"),
        pytest.param(document(keys={"one": "&&&"}), id="key is not base64"),
        pytest.param(document(keys={"one": "c2hvcnQ="}), id="key too short"),
        pytest.param("\x80 binary", id="binary"),
    ],
)
def test_damaged_file_is_refused_and_kept(path: Path, text: str) -> None:
    key_file(path, text)

    with pytest.raises(SettingsError, match=r"KEY_URL: .* restore it from a backup"):
        KeyFileCipher(path)

    assert path.read_text() == text


def test_file_that_is_no_text_is_refused(path: Path) -> None:
    key_file(path, "").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="damaged"):
        KeyFileCipher(path)


def test_keys_are_in_no_message_and_no_repr(path: Path) -> None:
    key = base64.b64encode(b"k" * 31).decode()
    with pytest.raises(SettingsError) as caught:
        KeyFileCipher(key_file(path, document(keys={"one": key})))
    path.unlink()
    cipher = KeyFileCipher(path)
    stored = next(iter(json.loads(path.read_text())["keys"].values()))

    assert key not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__suppress_context__ or key}"
    assert stored not in f"{cipher!r} {vars(cipher)!r}"
    assert repr(base64.b64decode(stored)) not in f"{cipher!r} {vars(cipher)!r}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("file://token.key", id="relative"),
        pytest.param("file:///var/lib/", id="a folder"),
        pytest.param("vault:///x", id="another scheme"),
        pytest.param("kms://", id="no alias"),
        pytest.param("kms://strava", id="alias without its word"),
        pytest.param("kms://alias/", id="alias without a name"),
        pytest.param("kms://alias/strava tokens", id="alias with a space"),
    ],
)
def test_other_addresses_are_refused_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match=r"KEY_URL .* for example: file:///"):
        open_cipher(url)


def test_setting_is_named_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError, match="KEY_URL"):
        open_cipher(f"file://{tmp_path}/file/token.key")

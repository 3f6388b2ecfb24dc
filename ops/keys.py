"""The keys that encrypt athletes' tokens: `python -m ops.keys show|rotate|reencrypt`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import SystemRandom

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from include.aws import aws_faults, open_client
from include.crypto.backend import open_cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import BadRequest, CipherError
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.accounts.key_rotation import KeyRotation
from include.state.copies.places import Places
from include.store.backend import open_store
from ops.command import run
from ops.installation import WHICH, installed_settings

_KMS = "kms://"

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The keys that encrypt athletes' tokens.", epilog=WHICH
)


@app.command()
def show() -> None:
    """Show how many token pairs and hidden places each key seals; on AWS, show the state of the key."""
    settings = installed_settings()
    if settings.key_url.startswith(_KMS):
        print(_kms_key_state(settings.key_url))
        return
    with _opened(settings) as keys:
        counts = {keys.cipher.active_key: 0, **keys.rotation.secrets_by_key()}
        table = Table("key", "secrets", "")
        for key_id, count in sorted(counts.items()):
            table.add_row(key_id, str(count), "active" if key_id == keys.cipher.active_key else "")
    Console().print(table)


@app.command()
def rotate() -> None:
    """Add a new key to the key file and seal with it from now on; older keys stay and still open their texts."""
    with _opened(installed_settings("adds a key")) as keys:
        print(f"Key {keys.cipher.rotate()} is active now. Running processes use it when they next read the key file.")
    print("Next: `make keys ARGS=reencrypt` seals the stored secrets with it. Back up the key file.")


@app.command()
def reencrypt() -> None:
    """Seal every stored token pair and hidden place with the active key; the system may run meanwhile. Repeatable."""
    failures = []
    resealed = 0
    with _opened(installed_settings("seals tokens and places again")) as keys:
        everyone = list(keys.athletes.all())
        for athlete in track(everyone, "Sealing", console=Console(stderr=True), transient=True):
            try:
                keys.rotation.reencrypt_places(athlete.athlete_id)
                resealed += keys.rotation.reencrypt(athlete.athlete_id)
            except CipherError as error:
                failures.append(f"Athlete {athlete.athlete_id}: {error}")
        print(f"{resealed} token pairs are sealed with key {keys.cipher.active_key} now.")
    if failures:
        sys.exit("\n".join(failures))


@dataclass(frozen=True, slots=True)
class _Keys:
    cipher: KeyFileCipher
    athletes: Athletes
    rotation: KeyRotation


def _kms_key_state(key_url: str) -> str:
    """The state of the KMS key, in one line."""
    client = open_client("kms", "KEY_URL")
    with aws_faults("KEY_URL"):
        key = client.describe_key(KeyId=key_url.removeprefix(_KMS))["KeyMetadata"]
        is_rotated = client.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    rotation = "AWS KMS rotates it by itself" if is_rotated else "it is not rotated"
    return f"{key_url} is key {key['KeyId']}: {key['KeyState']}, and {rotation}."


@contextmanager
def _opened(settings: Settings) -> Iterator[_Keys]:
    if settings.key_url.startswith(_KMS) or not isinstance(cipher := open_cipher(settings.key_url), KeyFileCipher):
        raise BadRequest(
            f"KEY_URL is {settings.key_url}: AWS KMS rotates its keys itself. There is "
            "nothing to do here; `make keys ARGS=show` shows the key's state."
        )
    store = open_store(settings.state_url, time.time)
    try:
        athletes = Athletes(store, cipher, time.time)
        places = Places(store, cipher, SystemRandom().random)
        yield _Keys(cipher, athletes, KeyRotation(store, athletes, places, cipher))
    finally:
        store.close()


if __name__ == "__main__":
    run(app)

"""The keys that encrypt athletes' tokens, places and mail addresses: `python -m ops.keys show|rotate|reencrypt`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from include.aws import aws_faults, open_client
from include.crypto.backend import open_cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import BadRequest, CipherError
from include.settings import Settings
from include.state.accounts.key_rotation import KeyRotation
from include.state.state import State
from include.store.backend import open_store
from ops.command import run
from ops.installation import WHICH, installed_settings

_KMS = "kms://"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The keys that encrypt athletes' tokens, places and mail addresses.",
    epilog=WHICH,
)


@app.command()
def show() -> None:
    """Show how many token pairs, hidden places and mail addresses each key seals; on AWS, the state of the key."""
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
    """Seal every token pair, place and mail address with the active key; the system may run meanwhile. Repeatable."""
    failures = []
    resealed = 0
    with _opened(installed_settings("seals tokens, places and mail addresses again")) as keys:
        for whose, reseal in track(_work(keys), "Sealing", console=Console(stderr=True), transient=True):
            try:
                resealed += reseal()
            except CipherError as error:
                failures.append(f"{whose}: {error}")
        print(f"{resealed} secrets are sealed with key {keys.cipher.active_key} now.")
    if failures:
        sys.exit("\n".join(failures))


@dataclass(frozen=True, slots=True)
class _Keys:
    cipher: KeyFileCipher
    state: State
    rotation: KeyRotation


def _work(keys: _Keys) -> list[tuple[str, Callable[[], int]]]:
    """The texts to seal again: whose each is, and what seals it and returns how many were sealed."""
    rotation = keys.rotation
    of_athlete = (rotation.reencrypt_tokens, rotation.reencrypt_places, rotation.reencrypt_addresses)
    work: list[tuple[str, Callable[[], int]]] = [
        (f"Athlete {athlete.athlete_id}", partial(reseal, athlete.athlete_id))
        for athlete in keys.state.athletes.all()
        for reseal in of_athlete
    ]
    certificates = rotation.certificate_ids()
    return work + [("A certificate", partial(rotation.reencrypt_certificate, link_id)) for link_id in certificates]


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
        state = State.on(store, cipher, time.time)
        yield _Keys(cipher, state, KeyRotation(store, state, cipher))
    finally:
        store.close()


if __name__ == "__main__":
    run(app)

"""AES-256-GCM with keys in one local file: the embedded implementation of `Cipher`."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.crypto import aes
from include.crypto.cipher import Seal
from include.errors import CipherError, SettingsError

_FORMAT = "v1"


@dataclass(frozen=True, slots=True)
class _KeyRing:
    active: str
    keys: Mapping[str, bytes] = field(repr=False)

    def with_new_key(self) -> _KeyRing:
        key_id = secrets.token_hex(4)
        return _KeyRing(key_id, {**self.keys, key_id: secrets.token_bytes(aes.KEY_BYTES)})


class KeyFileCipher:
    """Authenticated encryption with the active key of a key file; older keys in the file still open their texts.

    Shape: a ciphertext is `v1.<key id>.<base64url of nonce and sealed text>`; the file is JSON,
    `{"active": "<key id>", "keys": {"<key id>": "<base64>"}}`, mode 0600.
    Errors: `SettingsError` when others can read the file, or it is damaged; it is then never replaced.
    Effects: creates the file with a new random key where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            self._create()
        self._ring = self._load()

    def sealer(self, context: Mapping[str, str]) -> Seal:
        """A sealer with the active key, of texts that only an equal `context` opens."""
        key_id, key = self._ring.active, self._ring.keys[self._ring.active]
        return lambda plaintext: f"{_FORMAT}.{key_id}.{aes.seal(key, plaintext, context)}"

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        key_id, sealed = _parse(ciphertext)
        if key_id not in self._ring.keys:
            self._ring = self._load()  # another process may have rotated the key since
        if key_id not in self._ring.keys:
            raise CipherError(f"key {key_id} is not in {self._path}: restore the key file that has it")
        return aes.unseal(self._ring.keys[key_id], sealed, context)

    @property
    def active_key(self) -> str:
        """The id of the active key."""
        return self._ring.active

    @staticmethod
    def key_of(ciphertext: str) -> str:
        """The id of the key that sealed a text. Errors: `CipherError` for any other text."""
        return _parse(ciphertext)[0]

    def rotate(self) -> str:
        """Add a new key, make it the active one and return its id.

        Effects: replaces the key file in one step. Running processes continue to seal with the key that they loaded,
        which stays in the file, and read the file again when they find a new key.
        """
        with self._locked():
            self._ring = self._load().with_new_key()
            self._write(self._ring)
        return self._ring.active

    def _create(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self._path.exists():
                self._write(_KeyRing("", {}).with_new_key())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time across all processes; the folder is locked, because the file is replaced."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, ring: _KeyRing) -> None:
        keys = {key_id: base64.b64encode(key).decode() for key_id, key in ring.keys.items()}
        descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"active": ring.active, "keys": keys}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink()
            raise

    def _load(self) -> _KeyRing:
        with self._path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise SettingsError(
                    f"KEY_URL: {self._path} has mode {mode:04o}, so others can read the keys: chmod 600 {self._path}"
                )
            try:
                return _ring(json.load(file))
            except (ValueError, TypeError, KeyError, AttributeError):
                # The cause is left out because it may quote the file, which holds keys.
                raise SettingsError(
                    f"KEY_URL: {self._path} is not a key file or is damaged: restore it from a backup,"
                    " or move it away, start with a new one and let every athlete connect again"
                ) from None


def _ring(document: dict[str, Any]) -> _KeyRing:
    active = document["active"]
    keys = {key_id: base64.b64decode(key, validate=True) for key_id, key in document["keys"].items()}
    if not isinstance(active, str) or active not in keys or any(len(key) != aes.KEY_BYTES for key in keys.values()):
        raise ValueError("the active key is missing, or a key has the wrong length")
    return _KeyRing(active, keys)


def _parse(ciphertext: str) -> tuple[str, str]:
    version, _, rest = ciphertext.partition(".")
    key_id, dot, sealed = rest.partition(".")
    if not dot:
        raise CipherError("the text was not sealed with a key file")
    if version != _FORMAT:
        raise CipherError(f"the text has the format {version[:8]!r}; this program opens {_FORMAT}")
    return key_id, sealed

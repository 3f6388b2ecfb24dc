"""Which cipher a `KEY_URL` means."""

from __future__ import annotations

from pathlib import Path

from include.crypto.cipher import Cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import SettingsError
from include.settings import EXAMPLES


def open_cipher(url: str) -> Cipher:
    """The cipher at `url`: `file:///absolute/path` of a key file.

    Errors: `SettingsError` that names `KEY_URL` when the address is unknown or the key file cannot be used.
    Effects: creates the key file and its folder where they are missing.
    """
    scheme, _, path = url.partition("://")
    if scheme != "file" or not path.startswith("/") or path.endswith("/"):
        raise SettingsError(f"KEY_URL is {url!r}, which is no supported address; for example: {EXAMPLES['KEY_URL']}")
    try:
        return KeyFileCipher(Path(path))
    except OSError as err:
        raise SettingsError(f"KEY_URL: the key file cannot be used ({err})") from err

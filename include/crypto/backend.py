"""Opens the cipher that `KEY_URL` names."""

from __future__ import annotations

import re
from pathlib import Path

from include.aws import WORK, Patience
from include.crypto.cipher import Cipher
from include.crypto.key_file import KeyFileCipher
from include.crypto.kms import KmsCipher
from include.errors import SettingsError
from include.setting_values import EXAMPLES

_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]{1,250}")


def open_cipher(url: str, patience: Patience = WORK) -> Cipher:
    """The cipher at `url`: `file:///absolute/path` of a key file, or `kms://alias/<name>` of a key of AWS KMS.

    `patience` is for AWS.

    Errors: `SettingsError` that names `KEY_URL` when the address is unknown or the key file cannot be used.
    Effects: creates the key file and its folder where they are missing; no call to KMS yet.
    """
    scheme, _, path = url.partition("://")
    if scheme == "kms" and _ALIAS.fullmatch(path):
        return KmsCipher(path, patience)
    if scheme != "file" or not path.startswith("/") or path.endswith("/"):
        raise SettingsError(f"KEY_URL is {url!r}, which is not a supported address; for example: {EXAMPLES['KEY_URL']}")
    try:
        return KeyFileCipher(Path(path))
    except OSError as err:
        raise SettingsError(f"KEY_URL: the key file cannot be used ({err})") from err

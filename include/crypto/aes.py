"""AES-256-GCM encryption of one secret, bound to a context; both ciphers use it."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from include.crypto.cipher import require_size
from include.errors import CipherError

KEY_BYTES = 32
_NONCE_BYTES = 12


def seal(key: bytes, plaintext: bytes, context: Mapping[str, str]) -> str:
    """Base64url of a random nonce and the sealed text. Errors: `CipherError` for a plaintext of another size."""
    require_size(plaintext)
    nonce = os.urandom(_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plaintext, _bound(context))).decode()


def unseal(key: bytes, text: str, context: Mapping[str, str]) -> bytes:
    """The plaintext. Errors: `CipherError` where the text was changed or belongs to another context."""
    sealed = from_base64(text)
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(context))
    except (InvalidTag, ValueError) as err:
        raise CipherError("a sealed text was changed or belongs to another context") from err


def from_base64(text: str) -> bytes:
    """The bytes of a part of a ciphertext. Errors: `CipherError` where it is empty or not base64url."""
    try:
        decoded = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as err:
        raise CipherError("a sealed text was changed: it is not base64url") from err
    if not decoded:
        raise CipherError("a sealed text was cut off: it is empty")
    return decoded


def _bound(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()

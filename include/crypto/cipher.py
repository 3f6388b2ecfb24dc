"""The protocol of the token cipher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from include.errors import CipherError

MAX_PLAINTEXT_BYTES = 4096
"""What every implementation seals; AWS KMS takes no more."""


class Cipher(Protocol):
    """Authenticated encryption of small secrets, bound to a context that is not secret.

    Every implementation passes `tests/contract/test_cipher.py` unchanged.
    """

    def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> str:
        """Printable ciphertext that only `decrypt` with an equal `context` opens; names its key inside.

        Errors: `CipherError` when the plaintext is empty or longer than `MAX_PLAINTEXT_BYTES`; nothing was sealed.
        """
        ...

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        ...


def require_size(plaintext: bytes) -> None:
    """Nothing, where every implementation can seal the plaintext. Errors: `CipherError`."""
    if not 1 <= len(plaintext) <= MAX_PLAINTEXT_BYTES:
        raise CipherError(
            f"a secret of {len(plaintext)} bytes cannot be sealed: it has to have 1 to {MAX_PLAINTEXT_BYTES} bytes"
        )

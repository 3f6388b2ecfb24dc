"""The protocol of the token cipher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Cipher(Protocol):
    """Authenticated encryption of small secrets, bound to a context that is not secret.

    Every implementation passes `tests/contract/test_cipher.py` unchanged.
    """

    def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> str:
        """Printable ciphertext that only `decrypt` with an equal `context` opens; names its key inside."""
        ...

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        ...

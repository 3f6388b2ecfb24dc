"""The protocol of the token cipher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from include.errors import CipherError

MAX_PLAINTEXT_BYTES = 4096
"""The largest plaintext that every implementation seals."""


Seal = Callable[[bytes], str]
"""Makes a printable ciphertext of a plaintext, at once and without a network call.

Errors: `CipherError` when the plaintext is empty or longer than `MAX_PLAINTEXT_BYTES`; nothing was sealed.
"""


class Cipher(Protocol):
    """Authenticated encryption of small secrets, bound to a context, which is not secret.

    Every implementation passes `tests/contract/test_cipher.py` unchanged.
    """

    def sealer(self, context: Mapping[str, str]) -> Seal:
        """A sealer of texts that only `decrypt` with an equal `context` opens; each ciphertext names its key.

        Every step that may fail or take time happens here: after it, the caller can request a secret that must not be
        lost.
        """
        ...

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        ...


def require_size(plaintext: bytes) -> None:
    """Return if every implementation can seal the plaintext. Errors: `CipherError`."""
    if not 1 <= len(plaintext) <= MAX_PLAINTEXT_BYTES:
        raise CipherError(
            f"a secret of {len(plaintext)} bytes cannot be sealed: it must have 1 to {MAX_PLAINTEXT_BYTES} bytes"
        )

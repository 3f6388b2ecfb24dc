"""Sealing by AWS KMS, whose key never leaves it: the implementation of `Cipher` for AWS."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from include.aws import aws_faults, open_client
from include.crypto import aes
from include.crypto.cipher import Seal
from include.errors import CipherError

_FORMAT = "kms1"
_UNOPENED = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)


class KmsCipher:
    """Envelopes: each secret under a data key of its own, which the KMS key behind an alias wraps.

    The context is KMS's encryption context too, so CloudTrail shows whose secret is opened.

    Shape: a ciphertext is `kms1.<base64url of the wrapped key>.<base64url of nonce and sealed text>`; a wrapped key
    names what wrapped it, so a text that was sealed before the alias was pointed at another key still opens while that
    key is enabled. KMS's own yearly rotation needs nothing.
    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`.
    """

    def __init__(self, key_id: str) -> None:
        self._client = open_client("kms", "KEY_URL")
        self._key_id = key_id

    def sealer(self, context: Mapping[str, str]) -> Seal:
        """Seals what only an equal `context` opens. Effects: one call for a data key, none when it seals."""
        with aws_faults("KEY_URL"):
            answer = self._client.generate_data_key(
                KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=dict(context)
            )
        wrapped, key = base64.urlsafe_b64encode(answer["CiphertextBlob"]).decode(), answer["Plaintext"]
        return lambda plaintext: f"{_FORMAT}.{wrapped}.{aes.seal(key, plaintext, context)}"

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        wrapped, sealed = _parse(ciphertext)
        with aws_faults("KEY_URL"):
            try:
                answer = self._client.decrypt(CiphertextBlob=wrapped, EncryptionContext=dict(context))
            except self._client.exceptions.ClientError as err:
                code = err.response["Error"]["Code"]
                if code not in _UNOPENED:
                    raise
                raise CipherError(
                    f"KMS does not open a text ({code}): it was changed, belongs to another context, or its key is"
                    " disabled, gone or not permitted; look at the key's state and at kms:Decrypt of this role"
                ) from err
        return aes.unseal(answer["Plaintext"], sealed, context)


def _parse(ciphertext: str) -> tuple[bytes, str]:
    form, _, rest = ciphertext.partition(".")
    wrapped, _, sealed = rest.partition(".")
    if form != _FORMAT:
        raise CipherError(f"this is no text that KMS sealed for this program: it does not start with {_FORMAT}.")
    return aes.from_base64(wrapped), sealed

"""Sealing by AWS KMS, whose key never leaves it: the implementation of `Cipher` for AWS."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from include.aws import aws_faults, open_client
from include.crypto.cipher import require_size
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
    """Encryption with the KMS key behind an alias; the context is KMS's encryption context, so CloudTrail shows it.

    Shape: a ciphertext is `kms1.<base64url of KMS's blob>`; the blob names its key, so a text that was sealed before
    the alias was pointed at another key still opens while that key is enabled. KMS's own yearly rotation needs nothing.
    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`.
    """

    def __init__(self, key_id: str) -> None:
        self._client = open_client("kms", "KEY_URL")
        self._key_id = key_id

    def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> str:
        """Printable ciphertext that only an equal `context` opens. Errors: `CipherError` when it is too long."""
        require_size(plaintext)
        with aws_faults("KEY_URL"):
            answer = self._client.encrypt(KeyId=self._key_id, Plaintext=plaintext, EncryptionContext=dict(context))
        return f"{_FORMAT}.{base64.urlsafe_b64encode(answer['CiphertextBlob']).decode()}"

    def decrypt(self, ciphertext: str, context: Mapping[str, str]) -> bytes:
        """The plaintext. Errors: `CipherError` for another context, a changed text or an unknown key."""
        blob = _parse(ciphertext)
        with aws_faults("KEY_URL"):
            try:
                answer = self._client.decrypt(CiphertextBlob=blob, EncryptionContext=dict(context))
            except self._client.exceptions.ClientError as err:
                code = err.response["Error"]["Code"]
                if code not in _UNOPENED:
                    raise
                raise CipherError(
                    f"KMS does not open a text ({code}): it was changed, belongs to another context, or its key is"
                    " disabled, gone or not permitted; look at the key's state and at kms:Decrypt of this role"
                ) from err
        plaintext: bytes = answer["Plaintext"]
        return plaintext


def _parse(ciphertext: str) -> bytes:
    form, _, text = ciphertext.partition(".")
    if form != _FORMAT:
        raise CipherError(f"this is no text that KMS sealed for this program: it does not start with {_FORMAT}.")
    try:
        blob = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as err:
        raise CipherError("a text that KMS sealed was changed: it is no base64") from err
    if not blob:
        raise CipherError("a text that KMS sealed was cut off: nothing is left of it")
    return blob

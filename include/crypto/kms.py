"""Encryption with AWS KMS, whose key never leaves it: the implementation of `Cipher` for AWS."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from include.aws import WORK, Patience, aws_faults, open_client
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
    """Envelope encryption: each secret has its own data key, which the KMS key behind an alias wraps.

    The context is also KMS's encryption context, so CloudTrail shows whose secret is opened.

    Shape: a ciphertext is `kms1.<base64url of the wrapped key>.<base64url of nonce and sealed text>`. A wrapped key
    names the KMS key that wrapped it: after the alias points to another key, older texts still open while their key is
    enabled. KMS's own yearly rotation needs no action.
    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`.
    """

    def __init__(self, key_id: str, patience: Patience = WORK) -> None:
        self._client = open_client("kms", "KEY_URL", patience)
        self._key_id = key_id

    def sealer(self, context: Mapping[str, str]) -> Seal:
        """A sealer of texts that only an equal `context` opens. Effects: one call, for a data key; none per text."""
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
                    " disabled, deleted or not permitted; check the key's state, and kms:Decrypt of this role"
                ) from err
        return aes.unseal(answer["Plaintext"], sealed, context)


def _parse(ciphertext: str) -> tuple[bytes, str]:
    form, _, rest = ciphertext.partition(".")
    wrapped, _, sealed = rest.partition(".")
    if form != _FORMAT:
        raise CipherError(f"the text was not sealed with KMS by this program: it does not start with {_FORMAT}.")
    return aes.from_base64(wrapped), sealed

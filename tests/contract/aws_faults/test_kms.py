"""What the cipher on KMS does when AWS throttles, fails or refuses."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from include.crypto.backend import open_cipher
from include.crypto.cipher import Cipher
from include.errors import CipherError, RetryLater, SettingsError
from tests.contract.aws_faults.faults import FAULTS

pytestmark = pytest.mark.network
CONTEXT = {"app": "strava-data-ingest", "athlete_id": "42"}
ATTEMPTS = 4

Answer = tuple[int, str]


@pytest.fixture
def cipher(kms_url: str, proxy: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Cipher:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    return open_cipher(kms_url)


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_cipher_works_when_aws_fails_for_a_while_and_asks_to_come_back_when_it_stays(
    cipher: Cipher, proxy: Any, fault: Answer
) -> None:
    proxy.faults = [fault] * (ATTEMPTS - 1)
    text = cipher.sealer(CONTEXT)(b"secret")
    proxy.faults = [fault] * (ATTEMPTS - 1)
    opened = cipher.decrypt(text, CONTEXT)
    proxy.always = fault

    assert opened == b"secret"
    with pytest.raises(RetryLater, match="KEY_URL"):
        cipher.sealer(CONTEXT)(b"secret")
    with pytest.raises(RetryLater, match="KEY_URL"):
        cipher.decrypt(text, CONTEXT)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("AccessDeniedException", id="not permitted or key of another account"),
        pytest.param("DisabledException", id="key disabled"),
        pytest.param("KMSInvalidStateException", id="key to be deleted"),
        pytest.param("NotFoundException", id="key gone"),
    ],
)
def test_refusal_opens_nothing_and_names_the_setting_when_sealing(cipher: Cipher, proxy: Any, code: str) -> None:
    text = cipher.sealer(CONTEXT)(b"secret")
    proxy.always = (400, code)

    with pytest.raises(CipherError, match=code):
        cipher.decrypt(text, CONTEXT)
    with pytest.raises(SettingsError, match=rf"KEY_URL: AWS refuses GenerateDataKey \({code}"):
        cipher.sealer(CONTEXT)(b"secret")


def test_sealing_asks_nobody_once_the_sealer_is_there(cipher: Cipher, proxy: Any) -> None:
    seal = cipher.sealer(CONTEXT)
    proxy.always = (400, "DisabledException")
    text = seal(b"a pair that nobody else has")
    proxy.always = None

    assert cipher.decrypt(text, CONTEXT) == b"a pair that nobody else has"


def test_old_texts_open_when_the_alias_names_another_key(kms_url: str) -> None:
    cipher = open_cipher(kms_url)
    text = cipher.sealer(CONTEXT)(b"old")
    client = boto3.client("kms")
    another = client.create_key()["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName=kms_url.removeprefix("kms://"), TargetKeyId=another)

    assert [cipher.decrypt(sealed, CONTEXT) for sealed in (text, cipher.sealer(CONTEXT)(b"new"))] == [b"old", b"new"]


def test_setting_is_named_when_there_is_no_such_key(aws: None) -> None:
    with pytest.raises(SettingsError, match=r"KEY_URL: AWS refuses GenerateDataKey \(NotFoundException.*alias/none"):
        open_cipher("kms://alias/none").sealer(CONTEXT)

"""What every `Cipher` does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.crypto.backend import open_cipher
from include.crypto.cipher import Cipher
from include.errors import CipherError

CONTEXT = {"app": "strava-data-ingest", "athlete_id": "42"}
SECRET = b"a refresh token that nobody may read"


@pytest.fixture
def cipher(cipher_url: str) -> Cipher:
    return open_cipher(cipher_url)


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"x", id="one byte"),
        pytest.param(SECRET, id="text"),
        pytest.param(bytes(range(256)), id="every byte"),
        pytest.param(b"x" * 4096, id="4 KB"),
    ],
)
def test_text_opens_in_its_context(cipher: Cipher, plaintext: bytes) -> None:
    assert cipher.decrypt(cipher.sealer(CONTEXT)(plaintext), CONTEXT) == plaintext


@pytest.mark.parametrize("size", [pytest.param(0, id="empty"), pytest.param(4097, id="more than 4 KB")])
def test_secret_of_another_size_is_refused(cipher: Cipher, size: int) -> None:
    with pytest.raises(CipherError, match=f"{size} bytes cannot be sealed"):
        cipher.sealer(CONTEXT)(b"x" * size)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    plaintext=st.binary(min_size=1, max_size=200),
    context=st.dictionaries(
        st.text('abc:"é', min_size=1, max_size=5), st.text('abc:"é', min_size=1, max_size=9), min_size=1, max_size=3
    ),
)
def test_text_opens_in_any_context_it_was_sealed_in(cipher: Cipher, plaintext: bytes, context: dict[str, str]) -> None:
    assert cipher.decrypt(cipher.sealer(context)(plaintext), context) == plaintext


def test_order_of_the_context_does_not_matter(cipher: Cipher) -> None:
    turned = dict(reversed(CONTEXT.items()))

    assert cipher.decrypt(cipher.sealer(CONTEXT)(SECRET), turned) == SECRET


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"app": "strava-data-ingest", "athlete_id": "43"}, id="another athlete"),
        pytest.param({"app": "strava-data-ingest"}, id="less"),
        pytest.param({**CONTEXT, "more": "x"}, id="more"),
        pytest.param({"app": "42", "athlete_id": "strava-data-ingest"}, id="exchanged"),
    ],
)
def test_text_stays_closed_in_another_context(cipher: Cipher, context: dict[str, str]) -> None:
    with pytest.raises(CipherError) as caught:
        cipher.decrypt(cipher.sealer(CONTEXT)(SECRET), context)

    assert SECRET.decode() not in str(caught.value)


@pytest.mark.parametrize("position", [pytest.param(-10, id="near the end"), pytest.param(-30, id="earlier")])
def test_text_stays_closed_when_it_was_changed(cipher: Cipher, position: int) -> None:
    text = cipher.sealer(CONTEXT)(SECRET)
    changed = "A" if text[position] != "A" else "B"

    with pytest.raises(CipherError):
        cipher.decrypt(text[:position] + changed + text[position + 1 :], CONTEXT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("plain text", id="no ciphertext"),
        pytest.param("v1.unknown.QUJD", id="cut short"),
        pytest.param("ü🐕", id="not even ASCII"),
    ],
)
def test_what_is_no_ciphertext_is_refused(cipher: Cipher, text: str) -> None:
    with pytest.raises(CipherError):
        cipher.decrypt(text, CONTEXT)


def test_ciphertext_is_printable_and_never_the_same_twice(cipher: Cipher) -> None:
    texts = {cipher.sealer(CONTEXT)(SECRET) for _ in range(3)}

    assert len(texts) == 3
    assert all(text.isascii() and text.isprintable() and SECRET.decode() not in text for text in texts)


def test_text_opens_in_another_process_when_it_uses_the_same_key(cipher: Cipher, cipher_url: str) -> None:
    assert open_cipher(cipher_url).decrypt(cipher.sealer(CONTEXT)(SECRET), CONTEXT) == SECRET


def test_sealer_seals_many_texts_of_its_context(cipher: Cipher) -> None:
    seal = cipher.sealer(CONTEXT)

    assert [cipher.decrypt(text, CONTEXT) for text in (seal(b"one"), seal(b"two"))] == [b"one", b"two"]

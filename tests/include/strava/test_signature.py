"""Who may say that Strava signed an event."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadSignature
from include.strava.signature import TOLERANCE_S, check

KEY = "signing-key-that-nobody-may-see"
NOW = 1_760_000_000.4
BODY = b'{"object_id": 1}'


def sign(body: bytes, *, key: str, now_epoch_s: float) -> str:
    """The header as Strava documents it."""
    signed_at = str(int(now_epoch_s))
    digest = hmac.new(key.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={digest}"


@given(body=st.binary(max_size=200), key=st.text(min_size=1, max_size=40), now=st.integers(0, 10**11))
def test_signed_event_is_accepted(body: bytes, key: str, now: int) -> None:
    check(sign(body, key=key, now_epoch_s=now), body, key=key, now_epoch_s=now)


@given(
    body=st.binary(max_size=50),
    other=st.binary(max_size=50),
    key=st.sampled_from([KEY, "another"]),
    late_s=st.integers(-1000, 1000),
)
def test_event_is_accepted_exactly_when_body_key_and_time_are_right(
    body: bytes, other: bytes, key: str, late_s: int
) -> None:
    header = sign(body, key=key, now_epoch_s=1_760_000_000)
    is_right = body == other and key == KEY and abs(late_s) <= TOLERANCE_S
    try:
        check(header, other, key=KEY, now_epoch_s=1_760_000_000 + late_s)
    except BadSignature:
        assert not is_right
    else:
        assert is_right


@given(header=st.text(max_size=120) | st.from_regex(r"t=[0-9]{1,20},v1=[0-9a-f]{0,64}", fullmatch=True))
def test_event_is_refused_in_words_without_the_key_when_the_header_is_anything(header: str) -> None:
    with pytest.raises(BadSignature) as caught:
        check(header, BODY, key=KEY, now_epoch_s=NOW)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("late_s", "is_accepted"),
    [
        pytest.param(0, True, id="now"),
        pytest.param(300, True, id="oldest"),
        pytest.param(301, False, id="stale"),
        pytest.param(-300, True, id="clock behind"),
        pytest.param(-301, False, id="from the future"),
    ],
)
def test_event_is_refused_when_its_time_is_more_than_five_minutes_off(late_s: int, is_accepted: bool) -> None:
    header = sign(BODY, key=KEY, now_epoch_s=1_760_000_000)
    if is_accepted:
        check(header, BODY, key=KEY, now_epoch_s=1_760_000_000 + late_s)
    else:
        with pytest.raises(BadSignature, match="clock"):
            check(header, BODY, key=KEY, now_epoch_s=1_760_000_000 + late_s)


def test_elements_unknown_today_and_spaces_are_accepted() -> None:
    signed_at, digest = sign(BODY, key=KEY, now_epoch_s=NOW).split(",")

    check(f"v0=abc, {digest} , {signed_at}", BODY, key=KEY, now_epoch_s=NOW)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        pytest.param(None, "WEBHOOK_SIGNING_KEY", id="missing"),
        pytest.param("", "form", id="empty"),
        pytest.param("t=1760000000", "form", id="no digest"),
        pytest.param("v1=" + "0" * 64, "form", id="no time"),
        pytest.param("t=soon,v1=" + "0" * 64, "form", id="time is no number"),
        pytest.param("t=١٧٦,v1=" + "0" * 64, "form", id="other digits"),
        pytest.param("t=" + "9" * 5000 + ",v1=" + "0" * 64, "form", id="endless time"),
        pytest.param("t=1760000000,v1=" + "0" * 64, "wrong", id="wrong"),
        pytest.param("t=1760000000,v1=žlutý", "wrong", id="not ascii"),
        pytest.param("t=1760000000,v1=\ud800", "wrong", id="half a character"),
    ],
)
def test_refusal_says_what_is_wrong(header: str | None, words: str) -> None:
    with pytest.raises(BadSignature, match=words):
        check(header, BODY, key=KEY, now_epoch_s=NOW)

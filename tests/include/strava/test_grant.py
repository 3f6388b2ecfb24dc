"""What is believed of a token answer, and what of it is doubted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import UnexpectedShape
from include.strava.grant import DOUBTED_S, TokenGrant

NOW = 1_700_000_000.0
ACCESS, REFRESH = "a" * 40, "b" * 40
SOUND = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_at": int(NOW) + 21_600, "expires_in": 21_600}
EXPIRY = ("the time when it expires",)


def parsed(**more: Any) -> TokenGrant:
    return TokenGrant.parse(SOUND | more, NOW)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="as documented"),
        pytest.param({"expires_at": int(NOW) + 14_282, "expires_in": 14_282}, id="the same token again"),
        pytest.param({"expires_in": None}, id="without expires_in"),
        pytest.param({"expires_in": 21_400}, id="a clock a little behind"),
        pytest.param({"refresh_token": ACCESS[:-1]}, id="a shorter refresh token"),
    ],
)
def test_answer_is_believed_when_it_can_be_as_it_says(more: dict[str, Any]) -> None:
    grant = parsed(**more)

    assert grant.doubts == ()
    assert grant.expires_at_epoch_s == (SOUND | more)["expires_at"]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"expires_at": 1}, id="long past"),
        pytest.param({"expires_at": int(NOW)}, id="past just now"),
        pytest.param({"expires_at": int(NOW) + 599, "expires_in": 599}, id="a minute's life"),
        pytest.param({"expires_at": int(NOW) + 86_401, "expires_in": None}, id="more than a day"),
        pytest.param({"expires_at": 10**30}, id="beyond every calendar"),
        pytest.param({"expires_at": float(NOW) + 21_600}, id="a fraction"),
        pytest.param({"expires_at": "1700021600"}, id="text"),
        pytest.param({"expires_at": True}, id="a flag"),
        pytest.param({"expires_at": None}, id="none"),
        pytest.param({"expires_in": 300}, id="expires_in says otherwise"),
        pytest.param({"expires_in": -21_600}, id="expires_in is negative"),
        pytest.param({"expires_in": "21600"}, id="expires_in is text"),
    ],
)
def test_token_is_used_for_an_hour_when_its_expiry_is_not_believed(more: dict[str, Any]) -> None:
    grant = parsed(**more)

    assert grant.doubts == EXPIRY
    assert (grant.access_token, grant.refresh_token) == (ACCESS, REFRESH)
    assert grant.expires_at_epoch_s == NOW + DOUBTED_S


@pytest.mark.parametrize("token", ["", None, 7, True, [ACCESS], "two words", "line\nbreak", "é" * 40, "x" * 2001])
def test_refresh_token_is_kept_when_the_access_token_is_none(token: Any) -> None:
    grant = parsed(access_token=token)

    assert grant.doubts == ("no access token",)
    assert (grant.access_token, grant.refresh_token, grant.expires_at_epoch_s) == ("", REFRESH, 0)


@pytest.mark.parametrize("token", ["", None, 7, True, [REFRESH], "two words", "line\nbreak", "x" * 2001])
def test_answer_is_none_without_a_refresh_token(token: Any) -> None:
    with pytest.raises(UnexpectedShape, match="'refresh_token' is missing or is not a token") as caught:
        parsed(refresh_token=token)
    assert ACCESS not in str(caught.value)


def test_one_token_for_both_is_doubted() -> None:
    assert parsed(refresh_token=ACCESS).doubts == ("one token for both",)


@given(
    st.dictionaries(st.sampled_from(sorted(SOUND)), st.none() | st.integers() | st.floats() | st.text() | st.just([]))
)
def test_answer_is_read_or_refused_whatever_it_holds(more: dict[str, Any]) -> None:
    try:
        grant = parsed(**more)
    except UnexpectedShape:
        return
    assert grant.expires_at_epoch_s <= NOW + 86_400
    assert not (grant.access_token and grant.expires_at_epoch_s < NOW + 600)

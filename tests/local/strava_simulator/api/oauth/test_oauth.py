"""Tokens: exchanged, refreshed with rotation, revoked."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import OlderPair, Rules

BAD_CODE = {
    "message": "Bad Request",
    "errors": [{"resource": "AuthorizationCode", "field": "code", "code": "invalid"}],
}
BAD_REFRESH = {
    "message": "Bad Request",
    "errors": [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}],
}
BAD_TOKEN = {
    "message": "Authorization Error",
    "errors": [{"resource": "Athlete", "field": "access_token", "code": "invalid"}],
}


def is_accepted(world: Any, access_token: str) -> bool:
    return world.get("athlete", {"Authorization": f"Bearer {access_token}"}).status_code == 200


def refresh(world: Any, refresh_token: str) -> Any:
    return world.token(grant_type="refresh_token", refresh_token=refresh_token)


def basic(application: Application) -> Mapping[str, str]:
    pair = f"{application.client_id}:{application.client_secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def test_exchange_gives_pair_athlete_and_scope_without_usage_headers(world: Any) -> None:
    athlete_id = world.athlete(firstname="Ann")
    response = world.token(grant_type="authorization_code", code=world.code(athlete_id, "activity:read"))
    body = response.get_json()
    assert {key: body[key] for key in ("token_type", "expires_in", "expires_at", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 21600,
        "expires_at": int(world.clock.now_epoch_s) + 21600,
        "scope": "read,activity:read",
    }
    assert (body["athlete"]["id"], body["athlete"]["resource_state"]) == (athlete_id, 2)
    assert not [name for name, _ in response.headers if "ratelimit" in name.lower()]
    assert is_accepted(world, body["access_token"])


def test_exchange_works_under_the_api_path_too(world: Any) -> None:
    form = {"client_id": world.application.client_id, "client_secret": world.application.client_secret}
    form |= {"grant_type": "authorization_code", "code": world.code(world.athlete())}
    assert world.client.post("/api/v3/oauth/token", data=form).status_code == 200


def test_code_is_refused_when_it_was_used(world: Any) -> None:
    code = world.code(world.athlete())
    assert world.token(grant_type="authorization_code", code=code).status_code == 200
    again = world.token(grant_type="authorization_code", code=code)
    assert (again.status_code, again.get_json()) == (400, BAD_CODE)


@pytest.mark.parametrize(
    ("age_s", "status"), [pytest.param(299, 200, id="young"), pytest.param(300, 400, id="too old")]
)
def test_code_lives_five_minutes(world: Any, age_s: int, status: int) -> None:
    code = world.code(world.athlete())
    world.pass_time(age_s)
    assert world.token(grant_type="authorization_code", code=code).status_code == status


def test_code_of_another_application_is_refused_and_stays_good(world: Any) -> None:
    other = Application(20_002, "other-secret")
    with world.simulation.state.transaction() as db:
        applications.register(db, other)
    code = world.code(world.athlete())
    stolen = world.token(
        grant_type="authorization_code", code=code, client_id=other.client_id, client_secret=other.client_secret
    )
    assert stolen.get_json() == BAD_CODE
    assert world.token(grant_type="authorization_code", code=code).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        pytest.param({"client_id": "77"}, 400, ("Application", "client_id", "invalid"), id="unknown client"),
        pytest.param({"client_id": ""}, 400, ("Application", "client_id", "invalid"), id="no client"),
        pytest.param({"client_secret": "wrong"}, 401, ("Application", "", "invalid"), id="wrong secret"),
        pytest.param({"client_secret": "€"}, 401, ("Application", "", "invalid"), id="secret is no ascii"),
        pytest.param({"grant_type": "password"}, 400, ("Application", "grant_type", "invalid"), id="grant type"),
        pytest.param({"code": "nonsense"}, 400, ("AuthorizationCode", "code", "invalid"), id="unknown code"),
    ],
)
def test_exchange_is_refused_in_stravas_words(
    world: Any, form: dict[str, str], status: int, error: tuple[str, str, str]
) -> None:
    good = {"grant_type": "authorization_code", "code": world.code(world.athlete())}
    response = world.token(**{**good, **form})
    resource, field, code = error
    assert response.status_code == status
    assert response.get_json()["errors"] == [{"resource": resource, "field": field, "code": code}]


def test_exchange_takes_its_fields_from_the_query_too(world: Any) -> None:
    query = {
        "client_id": world.application.client_id,
        "client_secret": world.application.client_secret,
        "grant_type": "authorization_code",
        "code": world.code(world.athlete()),
    }
    assert world.client.post("/oauth/token", query_string=query).status_code == 200


@pytest.mark.parametrize(
    ("age_s", "is_same"),
    [
        pytest.param(0, True, id="fresh"),
        pytest.param(21_600 - 3601, True, id="an hour and a second left"),
        pytest.param(21_600 - 3600, False, id="an hour left"),
        pytest.param(30_000, False, id="expired"),
    ],
)
def test_refresh_rotates_only_in_the_last_hour(world: Any, age_s: int, is_same: bool) -> None:
    old = world.connect(world.athlete())
    world.pass_time(age_s)
    new = refresh(world, old["refresh_token"]).get_json()
    assert (new["access_token"] == old["access_token"]) is is_same
    assert (new["refresh_token"] == old["refresh_token"]) is is_same
    assert new["expires_in"] == (21_600 - age_s if is_same else 21_600)
    assert set(new) == {"token_type", "access_token", "expires_at", "expires_in", "refresh_token"}


def test_refresh_token_is_dead_at_once_when_rotated(world: Any) -> None:
    old = world.connect(world.athlete())
    world.pass_time(20_000)
    new = refresh(world, old["refresh_token"]).get_json()
    again = refresh(world, old["refresh_token"])
    assert (again.status_code, again.get_json()) == (400, BAD_REFRESH)
    assert refresh(world, new["refresh_token"]).status_code == 200


def test_old_access_token_works_until_its_own_expiry_when_rotated(world: Any) -> None:
    old = world.connect(world.athlete())
    world.pass_time(20_000)
    new = refresh(world, old["refresh_token"]).get_json()
    assert is_accepted(world, old["access_token"])
    world.pass_time(1600)
    assert not is_accepted(world, old["access_token"])
    assert is_accepted(world, new["access_token"])


def test_refresh_keeps_scopes_when_rotated(world: Any) -> None:
    old = world.connect(world.athlete(), "activity:write")
    world.pass_time(20_000)
    new = refresh(world, old["refresh_token"]).get_json()
    response = world.get("athlete/activities", {"Authorization": f"Bearer {new['access_token']}"})
    assert response.get_json()["errors"][0]["field"] == "activity:read_permission"


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule) for rule in OlderPair])
def test_earlier_pair_lives_or_dies_by_rule_when_athlete_connects_again(make_world: Any, rule: OlderPair) -> None:
    world = make_world(rules=Rules(older_pair=rule))
    athlete_id = world.athlete()
    old = world.connect(athlete_id, "activity:read,activity:read_all")

    new = world.connect(athlete_id, "read")

    lives = rule is OlderPair.LIVES
    assert is_accepted(world, old["access_token"]) is lives
    assert (refresh(world, old["refresh_token"]).status_code == 200) is lives
    assert is_accepted(world, new["access_token"])
    with world.simulation.state.transaction() as db:
        grants = [row["scopes"] for row in db.execute("SELECT scopes FROM grants")]
    assert grants == ["read,activity:read,activity:read_all" if lives else "read"]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoke_ends_every_token_of_the_athlete(make_world: Any, kind: str) -> None:
    world = make_world(rules=Rules(older_pair=OlderPair.LIVES))
    athlete_id = world.athlete()
    first = world.connect(athlete_id)
    second = world.connect(athlete_id)
    response = world.client.post("/oauth/revoke", headers=basic(world.application), data={"token": second[kind]})
    assert (response.status_code, response.data) == (200, b"")
    assert not is_accepted(world, first["access_token"])
    assert not is_accepted(world, second["access_token"])
    assert refresh(world, second["refresh_token"]).status_code == 400


def test_revoke_answers_200_and_ends_nothing_when_token_is_another_applications(world: Any) -> None:
    other = Application(20_002, "other-secret")
    with world.simulation.state.transaction() as db:
        applications.register(db, other)
    pair = world.connect(world.athlete())
    for token in (pair["access_token"], pair["refresh_token"], "unknown"):
        assert world.client.post("/oauth/revoke", headers=basic(other), data={"token": token}).status_code == 200
    assert is_accepted(world, pair["access_token"])


@pytest.mark.parametrize(
    ("headers", "status", "errors"),
    [
        pytest.param({}, 401, [], id="no credentials"),
        pytest.param({"Authorization": "Bearer x"}, 401, [], id="bearer"),
        pytest.param(basic(Application(10_001, "wrong")), 401, [], id="wrong secret"),
        pytest.param(basic(Application(77, "x")), 401, [], id="unknown client"),
        pytest.param(
            basic(Application()), 400, [{"resource": "Token", "field": "token", "code": "missing"}], id="no token"
        ),
    ],
)
def test_revoke_is_refused(world: Any, headers: dict[str, str], status: int, errors: list[Any]) -> None:
    response = world.client.post("/oauth/revoke", headers=headers)
    assert (response.status_code, response.get_json()["errors"]) == (status, errors)


@pytest.mark.parametrize("path", ["/oauth/deauthorize", "/api/v3/oauth/deauthorize"])
def test_deauthorize_ends_connection_and_counts_as_read(world: Any, path: str) -> None:
    pair = world.connect(world.athlete())
    response = world.client.post(path, headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert response.get_json() == {"access_token": pair["access_token"]}
    assert response.headers["X-ReadRateLimit-Usage"] == "1,1"
    assert not is_accepted(world, pair["access_token"])


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"Authorization": "Bearer "}, {}, id="empty"),
        pytest.param({"Authorization": "Bearer nonsense"}, {}, id="unknown"),
        pytest.param({"Authorization": "Token TOKEN"}, {}, id="other scheme"),
        pytest.param({}, {"access_token": "TOKEN"}, id="in the query"),
        pytest.param({"Authorization": "Bearer TOKEN"}, {"access_token": "TOKEN"}, id="in both"),
    ],
)
def test_access_token_is_refused_anywhere_but_in_the_header(
    world: Any, headers: dict[str, str], query: dict[str, str]
) -> None:
    token = world.connect(world.athlete())["access_token"]
    headers = {name: value.replace("TOKEN", token) for name, value in headers.items()}
    query = {name: value.replace("TOKEN", token) for name, value in query.items()}
    response = world.get("athlete", headers, **query)
    assert (response.status_code, response.get_json()) == (401, BAD_TOKEN)
    assert not [name for name, _ in response.headers if "ratelimit" in name.lower()]


def test_refresh_token_is_no_access_token(world: Any) -> None:
    assert not is_accepted(world, world.connect(world.athlete())["refresh_token"])

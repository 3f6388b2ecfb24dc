"""No request of a stranger, and none of an athlete, ends in a 5xx: over every route, through both edges."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from apig_wsgi import make_lambda_handler
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ops.package.http_event import http_event
from webhook_api.aws_lambda.http import as_wsgi_takes_it
from webhook_api.session import COOKIE

ADA = 134815
ODD = (
    "",
    "x",
    "\0",
    "\u017e\U0001f415",
    "\u202e\u2066",
    "%",
    "%zz",
    "%ff%fe",
    "%00",
    "%ed%a0%80",
    "..%2f..%2f",
    "//",
    "-1",
    "1" * 18,
    "1" * 19,
    "9" * 5_000,
    "\u0661\u0662",
    "1e400",
    "a" * 5_000,
    "{{7*7}}",
    "<script>",
    "'\"--",
    "[]",
)
"""What no form and no link of ours holds."""

odd = st.sampled_from(ODD) | st.text(max_size=40)
METHODS = "GET POST HEAD OPTIONS PUT DELETE PATCH TRACE CONNECT BREW get"
FIELDS = (
    "state code scope error private receive only stored confirm answer csrf names title trim_m start sports form_token "
    "seen address zone hub.mode hub.challenge hub.verify_token"
)
HEADERS = (
    "Cookie Accept X-Forwarded-For X-Strava-Signature Range If-None-Match If-Modified-Since Host Authorization "
    "Transfer-Encoding Expect X-Forwarded-Proto X-Forwarded-Port Origin"
)
methods, names = st.sampled_from(METHODS.split()), st.sampled_from(FIELDS.split())
MULTIPART = "multipart/form-data; boundary=b"
content_types = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/json",
        MULTIPART,
        "multipart/form-data",
        "text/plain; charset=\u017e",
        "",
        ";;;=,",
    ]
)
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"csrf=%ff&csrf=%00&names=" + b"9" * 5_000,
            b"&" * 7_000,
            b"a=1&" * 2_000,
            b'{"object_id": ' + b"9" * 5_000 + b"}",
            b"[" * 5_000,
            b'"\\ud800"',
            b"null",
            (b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\r\n') * 120,
            b'--b\r\nContent-Disposition: form-data; name="a"; filename="\xff\0"\r\n\r\n' + b"x" * 6_000,
            b"x" * 20_000,
        ]
    ),
)
header_values = st.sampled_from(
    ["\u017e", "x" * 9_000, "", "a=b; a=c", "sdi_session=" + "." * 500, "%00", "-1", "9" * 5_000, "bytes=9-1", "\x7f"]
)
headers = st.dictionaries(st.sampled_from(HEADERS.split()), header_values, max_size=3)


def routes(app: Flask, secret: str) -> list[str]:
    """The paths of every route, with `{}` for what a stranger chooses, and some that are none."""
    rules = [re.sub(r"<[^>]*>", "{}", rule.rule) for rule in app.url_map.iter_rules()]
    known = ["/me/children/{}/pause", f"/webhook/{secret}", "/me/copies/{}/22/again", "/me/copies/1/{}/again"]
    return sorted({*rules, *known, "/{}", "/static/{}", "/me/{}"})


def by_wsgi(app: Flask, method: str, target: str, query: str, head: Mapping[str, str], body: bytes) -> int:
    """The status of a request as a server hands it over: the path's bytes as latin-1, headers too."""
    from urllib.parse import unquote_to_bytes

    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": "127.0.0.1:8080",
    }
    for name, value in head.items():
        key = name.upper().replace("-", "_")
        text = value.encode(errors="replace").decode("latin-1")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    seen: list[str] = []
    answer = app.wsgi_app(environ, lambda status, *_: seen.append(status))
    b"".join(answer)
    return int(seen[0].split()[0])


def by_lambda(app: Flask, method: str, path: str, query: str, head: Mapping[str, str], body: bytes) -> int:
    """The status of a request as an HTTP API hands it over: the path decoded, where it could be."""
    event = http_event(method, path, body, headers={name.lower(): value for name, value in head.items()})
    event["rawQueryString"] = query
    return int(make_lambda_handler(app)(as_wsgi_takes_it(event), None)["statusCode"])


@pytest.fixture(params=["nobody", "athlete"])
def visitor(request: pytest.FixtureRequest, new_browser: Callable[[], Any]) -> dict[str, str]:
    """The headers of somebody who is not signed in, and of somebody who is."""
    if request.param == "nobody":
        return {}
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return {"Cookie": f"__Host-{COOKIE}={browser.client.get_cookie(f'__Host-{COOKIE}').value}"}


@given(data=st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
def test_no_request_ends_in_a_5xx(app: Flask, settings: Any, visitor: dict[str, str], data: st.DataObject) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    path = data.draw(st.sampled_from(routes(app, settings.webhook_path_secret)))
    filled = path.replace("{}", data.draw(odd))
    query = "&".join(
        f"{name}={quote(value, errors='replace') if data.draw(st.booleans()) else value}"
        for name, value in data.draw(st.lists(st.tuples(names, odd), max_size=3))
    )
    method, body = data.draw(methods), data.draw(bodies)
    head = {"Content-Type": data.draw(content_types), **data.draw(headers)}
    head |= visitor

    latin = query.encode(errors="replace").decode("latin-1")
    target = filled if re.search(r"%[0-9a-f]", filled) else quote(filled, errors="replace")
    assert by_wsgi(app, method, target, latin, head, body) < 500
    assert by_lambda(app, method, filled, query, head, body) < 500


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_route_takes_every_odd_value(
    app: Flask, settings: Any, visitor: dict[str, str], value: str, method: str
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    statuses = {
        (path, by(app, method, path.replace("{}", value), "", visitor, b""))
        for path in routes(app, settings.webhook_path_secret)
        for by in (by_wsgi, by_lambda)
    }

    assert {each for each in statuses if each[1] >= 500} == set()


@pytest.mark.parametrize("value", ODD)
def test_every_form_takes_every_odd_value_from_an_athlete(
    app: Flask, settings: Any, new_browser: Callable[[], Any], value: str
) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    token = re.search(r'name="csrf" value="([^"]+)"', browser.client.get("/me").text)
    assert token is not None
    fields = dict.fromkeys(FIELDS.split(), value) | {"csrf": token[1]}

    statuses = {
        path: browser.client.post(path.replace("{}", "22"), data=fields).status_code
        for path in routes(app, settings.webhook_path_secret)
        if "sign-out" not in path
    }

    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    assert browser.client.get("/me").status_code == 200


def test_sign_in_works_through_the_event_as_it_is_taken(app: Flask) -> None:
    event = http_event("GET", "/sign-in")

    assert as_wsgi_takes_it(event) == {**event, "cookies": []}
    assert int(make_lambda_handler(app)(as_wsgi_takes_it(event), None)["statusCode"]) == 303


@pytest.mark.parametrize("host", ["x" * 9_000, "evil.example", "\u017e", "", "a:b:c", "[::1"])
def test_page_is_the_same_whatever_host_the_request_names(app: Flask, host: str) -> None:
    statuses = {by(app, "GET", "/", "", {"Host": host}, b"") for by in (by_wsgi, by_lambda)}

    assert statuses == {200}


def test_path_that_an_http_api_has_decoded_reaches_its_page(app: Flask) -> None:
    assert as_wsgi_takes_it(http_event("GET", "/invite/\u017e\ud800"))["rawPath"] == "/invite/%C5%BE?"

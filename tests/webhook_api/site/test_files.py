"""The pages' files: kept for good under the address of their content, and asked for again under any other."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

STATIC = Path(__file__).parents[3] / "webhook_api" / "static"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param(r'rel="stylesheet" href="([^"]+)"', "style.css", id="stylesheet"),
        pytest.param(r'rel="icon" href="([^"]+)"', "favicon.svg", id="favicon"),
    ],
)
def test_file_is_kept_for_good_under_the_address_that_pages_use(client: FlaskClient, pattern: str, name: str) -> None:
    match = re.search(pattern, client.get("/").text)
    assert match is not None
    assert match[1] == f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]}"

    with client.get(match[1]) as answer:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/static/style.css", id="no-version"),
        pytest.param("/static/style.css?v=0123456789abcdef", id="another-version"),
        pytest.param("/static/nothing.css?v=", id="no-file"),
        pytest.param("/static/nothing.css", id="no-file-no-version"),
    ],
)
def test_file_is_asked_for_again_under_any_other_address(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_favicon_is_a_picture_that_the_policy_lets_through(client: FlaskClient) -> None:
    with client.get("/static/favicon.svg") as answer:
        assert answer.content_type.startswith("image/svg+xml")
        assert "img-src 'self'" in answer.headers["Content-Security-Policy"]

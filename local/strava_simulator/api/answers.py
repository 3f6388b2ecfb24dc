"""Strava's refusals of a call, word for word.

Source: error bodies recorded from Strava, and bodies quoted by several public clients where none is recorded.
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify


class Refusal(Exception):
    """A call that Strava refuses, with the status and the JSON body of the answer."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.body: dict[str, Any] = {"message": message, "errors": errors}

    def response(self) -> Response:
        """The HTTP answer."""
        return answer(self.body, self.status)


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer with Strava's content type."""
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/json; charset=utf-8"
    return response


def error(resource: str, field: str, code: str) -> dict[str, str]:
    """One entry of an error body."""
    return {"resource": resource, "field": field, "code": code}


def bad_request(resource: str, field: str, code: str = "invalid") -> Refusal:
    """400: the call itself is wrong."""
    return Refusal(400, "Bad Request", [error(resource, field, code)])


def wrong_secret() -> Refusal:
    """401: the application is known, but its secret is wrong."""
    return Refusal(401, "Authorization Error", [error("Application", "", "invalid")])


def wrong_token() -> Refusal:
    """401: no access token, or an unknown, expired or revoked one."""
    return Refusal(401, "Authorization Error", [error("Athlete", "access_token", "invalid")])


def scope_missing(permission: str) -> Refusal:
    """401: the athlete did not grant the scope that the call needs."""
    return Refusal(401, "Authorization Error", [error("AccessToken", permission, "missing")])


def application_inactive() -> Refusal:
    """403: the application's owner has no subscription."""
    return Refusal(403, "Forbidden", [error("Application", "Status", "Inactive")])


def capacity_reached() -> Refusal:
    """403: the application may not connect any more athletes."""
    return Refusal(403, "Limit of connected athletes exceeded", [])


def record_not_found() -> Refusal:
    """404: no such activity, upload or subscription for this caller."""
    return Refusal(404, "Record Not Found", [])


def no_streams() -> Refusal:
    """404: the activity exists, but has no streams."""
    return Refusal(404, "Resource Not Found", [])


def unknown_path() -> Refusal:
    """404: Strava has no such route."""
    return Refusal(404, "Record Not Found", [error("resource", "path", "invalid")])


def limit_exceeded(field: str) -> Refusal:
    """429: the budget named by `field` is spent."""
    return Refusal(429, "Rate Limit Exceeded", [error("Application", field, "exceeded")])

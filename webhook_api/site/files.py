"""The pages' static files, each under an address that changes with its content, and Strava's marks if present."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

BUTTON = "strava/connect-with-strava.svg"
"""Strava's official button, once the owner has put it there; see the folder's README.txt."""
MARK = "strava/powered-by-strava.svg"
"""Strava's official mark, likewise."""

_VERSIONS = "file_versions"


def register(app: Flask) -> None:
    """Give templates `file_url`, and let browsers cache files under such addresses without end."""
    app.extensions[_VERSIONS] = _versions(Path(app.static_folder or ""))
    app.jinja_env.globals["file_url"] = file_url
    app.jinja_env.globals["strava_button"] = BUTTON if BUTTON in app.extensions[_VERSIONS] else ""
    app.jinja_env.globals["strava_mark"] = MARK if MARK in app.extensions[_VERSIONS] else ""
    app.after_request(_keep)


def file_url(name: str) -> str:
    """The address of a file, with its version. Errors: `KeyError` for one that does not exist."""
    return url_for("static", filename=name, v=_known()[name])


def missing_marks(folder: Path) -> str:
    """A message to the owner about Strava's own files that are missing in the folder; empty if none is."""
    missing = [name for name in (BUTTON, MARK) if not (folder / name).is_file()]
    if not missing:
        return ""
    return (
        f"The pages say in words what Strava wants shown by its own files: put {' and '.join(missing)} into "
        "webhook_api/static, as strava/README.txt there says."
    )


def _versions(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files}


def _known() -> Mapping[str, str]:
    versions: Mapping[str, str] = current_app.extensions[_VERSIONS]
    return versions


def _keep(answer: Response) -> Response:
    """Let a browser cache the current version for good, and revalidate every other address each time."""
    if request.endpoint == "static":
        version = request.args.get("v")
        name = (request.view_args or {}).get("filename", "")
        is_fixed = version is not None and _known().get(name) == version
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_fixed else "no-cache"
    return answer

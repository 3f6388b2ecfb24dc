from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import SettingsError
from include.lake.backend import open_catalog, open_objects
from include.lake.objects import Condition


def test_open_objects_writes_below_the_path_of_the_url(tmp_path: Path) -> None:
    root = tmp_path / "the lake"
    open_objects(root.as_uri()).put("raw/a", b"x", expected=Condition.ANYTHING)
    assert (root / "raw" / "a").read_bytes() == b"x"


def test_opening_touches_nothing(tmp_path: Path) -> None:
    open_objects(f"file://{tmp_path}/lake")
    open_catalog(f"duckdb://{tmp_path}/catalog.duckdb", f"file://{tmp_path}/lake")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["", "/var/lake", "file:relative/lake", "file://host/lake", "file:///", "ftp:///lake", "duckdb:///lake"],
)
def test_open_objects_names_the_setting_when_the_url_is_wrong(url: str) -> None:
    with pytest.raises(SettingsError, match=r"LAKE_URL.*file:///var/lib/strava/lake"):
        open_objects(url)


def test_open_catalog_names_the_setting_when_the_url_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"CATALOG_URL.*duckdb:///"):
        open_catalog("file:///var/catalog", "file:///var/lake")

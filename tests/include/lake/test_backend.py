from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import SettingsError
from include.lake.backend import open_catalog, open_objects
from include.lake.objects.objects import Condition


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


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("s3://", id="no bucket"),
        pytest.param("s3:bucket/lake", id="no slashes"),
        pytest.param("s3:///lake", id="empty bucket"),
        pytest.param("s3://My_Bucket/lake", id="no name of a bucket"),
        pytest.param("s3://bucket//lake", id="empty segment"),
        pytest.param("s3://bucket/../lake", id="climbing segment"),
        pytest.param("s3://bucket/lake?region=x", id="query"),
        pytest.param("s3://bucket/lake\n", id="line end"),
    ],
)
def test_open_objects_names_the_setting_when_the_address_in_s3_is_wrong(url: str) -> None:
    with pytest.raises(SettingsError, match=r"LAKE_URL.*s3://my-bucket/lake"):
        open_objects(url)


@pytest.mark.parametrize(
    ("lake_url", "url"),
    [
        pytest.param("s3://my-bucket/lake/of.mine", "s3://my-bucket/lake/of.mine/raw/a", id="prefix"),
        pytest.param("s3://my-bucket/lake/", "s3://my-bucket/lake/raw/a", id="slash at the end"),
        pytest.param("s3://my-bucket", "s3://my-bucket/raw/a", id="whole bucket"),
    ],
)
def test_open_objects_asks_nothing_of_s3_yet(lake_url: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in [("DEFAULT_REGION", "eu-central-1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")]:
        monkeypatch.setenv(f"AWS_{variable}", value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # so that these credentials do not stay

    assert open_objects(lake_url).url("raw/a") == url


def test_open_catalog_names_the_setting_when_the_url_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"CATALOG_URL.*duckdb:///"):
        open_catalog("file:///var/catalog", "file:///var/lake")


@pytest.mark.parametrize(
    ("catalog_url", "lake_url"),
    [
        pytest.param("glue://lake", "s3://my-bucket/lake", id="no crawler"),
        pytest.param("glue:///crawler", "s3://my-bucket/lake", id="no database"),
        pytest.param("glue://lake/crawler", "file:///var/lake", id="local lake"),
    ],
)
def test_open_catalog_names_both_settings_when_glue_does_not_fit(catalog_url: str, lake_url: str) -> None:
    with pytest.raises(SettingsError, match=r"CATALOG_URL.*LAKE_URL.*glue://database/crawler"):
        open_catalog(catalog_url, lake_url)

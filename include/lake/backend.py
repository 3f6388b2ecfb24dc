"""Opens the lake's implementations that the settings name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.errors import SettingsError
from include.lake.catalog.catalog import Catalog
from include.lake.catalog.duckdb import DuckDbCatalog
from include.lake.catalog.glue import GlueCatalog
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import ObjectStore
from include.lake.objects.s3 import S3Objects
from include.setting_values import EXAMPLES

_SEGMENT = r"[A-Za-z0-9_=+-][A-Za-z0-9_=+.-]*"
_GLUE = re.compile(r"glue://(?P<database>[a-z0-9_-]{1,255})/(?P<crawler>[A-Za-z0-9_.-]{1,255})")
_BUCKET = re.compile(rf"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(/(?P<prefix>{_SEGMENT}(/{_SEGMENT})*))?/?")


def open_objects(lake_url: str) -> ObjectStore:
    """The object store that `LAKE_URL` names: `file:///absolute/path`, or `s3://bucket/prefix`.

    Errors: `SettingsError` that names `LAKE_URL`.
    Effects: none before the first write; no call to S3 yet.
    """
    if not lake_url.startswith("s3:"):
        return FileObjects(local_path(lake_url, "LAKE_URL"))
    address = _BUCKET.fullmatch(lake_url)
    if address is None:
        raise SettingsError(
            f"LAKE_URL is {lake_url!r}; set it to s3:// with a bucket and a prefix: s3://my-bucket/lake"
        )
    return S3Objects(address["bucket"], address["prefix"] or "")


def open_catalog(catalog_url: str, lake_url: str) -> Catalog:
    """The catalogue that `CATALOG_URL` names, over the lake.

    It is `duckdb:///absolute/path` for a local lake, `glue://database/crawler` for one in S3.
    `strava_catalog` starts the crawler.
    Errors: `SettingsError`. Effects: none yet.
    """
    if not catalog_url.startswith("glue:"):
        return DuckDbCatalog(local_path(catalog_url, "CATALOG_URL"), local_path(lake_url, "LAKE_URL"))
    glue = _GLUE.fullmatch(catalog_url)
    if glue is None or not _BUCKET.fullmatch(lake_url):
        raise SettingsError(
            f"CATALOG_URL is {catalog_url!r} and LAKE_URL {lake_url!r}; Glue's catalogue is glue://database/crawler, "
            "over a lake in S3: s3://my-bucket/lake"
        )
    return GlueCatalog(glue["database"], lake_url)


def local_path(url: str, variable: str) -> Path:
    """The absolute path in a `file:///…` or `duckdb:///…` URL; `variable` says which setting it came from.

    Errors: `SettingsError` that names the variable and shows an example.
    """
    parts = urlsplit(url)
    scheme = urlsplit(EXAMPLES[variable]).scheme
    path = Path(unquote(parts.path))
    if parts.scheme != scheme or parts.netloc or not path.is_absolute() or path == Path("/"):
        raise SettingsError(f"{variable} is {url!r}; set it to {scheme}:// and an absolute path: {EXAMPLES[variable]}")
    return path

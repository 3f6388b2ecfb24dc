"""The one place that turns the lake's settings into its implementations."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.errors import SettingsError
from include.lake.catalog import Catalog
from include.lake.duckdb_catalog import DuckDbCatalog
from include.lake.files import FileObjects
from include.lake.objects import ObjectStore
from include.settings import EXAMPLES


def open_objects(lake_url: str) -> ObjectStore:
    """The object store that `LAKE_URL` names. Errors: `SettingsError`. Effects: none before the first write."""
    return FileObjects(local_path(lake_url, "LAKE_URL"))


def open_catalog(catalog_url: str, lake_url: str) -> Catalog:
    """The catalogue that `CATALOG_URL` names, over the lake. Errors: `SettingsError`. Effects: none yet."""
    return DuckDbCatalog(local_path(catalog_url, "CATALOG_URL"), local_path(lake_url, "LAKE_URL"))


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

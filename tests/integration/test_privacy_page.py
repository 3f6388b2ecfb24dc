"""What the privacy page says, held against what the lake holds: Lambda, where the page is shown, has no schemas."""

from __future__ import annotations

from include.lake.schemas import TABLES
from webhook_api.site.disclosure import FILES


def test_every_kind_of_file_is_named_on_the_privacy_page() -> None:
    assert set(FILES) == {*TABLES, "raw", "gpx", "certificates"}

"""Times in words, in the zone of the athlete who reads them: that of their latest activity."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, g, has_request_context

from webhook_api.edge import current_edge

blueprint = Blueprint("times", __name__)


def spoken_day(moment: datetime) -> str:
    """The moment's day as people write it: 17 June 2026 is the same everywhere."""
    return f"{moment.day} {moment:%B %Y}"


@blueprint.app_template_global()
def first_day_text(epoch_s: int | None) -> str:
    """The first day that a link copies, which is a day in UTC for everybody; empty where none is known."""
    return "" if epoch_s is None else spoken_day(datetime.fromtimestamp(epoch_s, UTC))


def day_text(epoch_s: int | None) -> str:
    """The reader's day; empty where none is known."""
    return "" if epoch_s is None else spoken_day(_local(epoch_s))


def start_text(epoch_s: int | None) -> str:
    """The reader's day, minute and zone, which tell two activities of a day apart; empty where none is known."""
    return "" if epoch_s is None else f"{spoken_day(_local(epoch_s))}, {minute_text(epoch_s)}"


def minute_text(epoch_s: int) -> str:
    """The reader's minute, and the zone."""
    local = _local(epoch_s)
    name = local.tzname() or "UTC"
    return f"{local:%H:%M} {f'UTC{name}' if name[0] in '+-' else name}"


@blueprint.app_template_global()
def zone_words() -> str:
    """In which zone the page's times are, and why."""
    zone = _zone()
    if isinstance(zone, ZoneInfo):
        return f"Times are in the zone of your latest activity: {zone.key.replace('_', ' ')}."
    return "Times are in UTC, because none of your activities has shown your time zone yet."


def _local(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, _zone())


def _zone() -> tzinfo:
    """The reader's zone; UTC for a visitor, before the first listing, and for a zone that this system does not know."""
    athlete = g.get("athlete") if has_request_context() else None
    if athlete is None:
        return UTC
    if "zone" not in g:
        g.zone = _known(current_edge().state.listings.get(int(athlete.athlete_id)).zone)
    return g.zone  # type: ignore[no-any-return]  # Flask's g is untyped


def _known(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC

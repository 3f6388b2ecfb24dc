"""`strava_retention`: compares the lake with the ledger, and repairs the differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from include.copying.waking import wake_failed_before
from include.errors import UnexpectedShape
from include.lake.table_object import activity_ids
from include.pipeline.uses import UsesLake, UsesStorage
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState, LedgerEntry

_TABLES = ("streams", "activities", "laps")


@dataclass(frozen=True, slots=True)
class Audited:
    """The lake's rows of one athlete, compared with the ledger."""

    objects: int = 0
    activities: int = 0
    unknown: int = 0
    """Activities with rows in objects that the ledger does not name for them."""
    lost: int = 0
    """Activities without rows in objects that the ledger does name."""
    repaired: int = 0
    """Activities of both kinds whose ledger rows were repaired and that are fetched again, or deleted where expired."""
    unreadable: tuple[str, ...] = ()
    """Objects that cannot be read as a table of the lake, each with the reason."""

    def to_json(self) -> dict[str, int]:
        """The numbers, as XCom carries them."""
        return asdict(self) | {"unreadable": len(self.unreadable)}


@dataclass(frozen=True, slots=True)
class _Held:
    """Which table objects hold rows of which activity."""

    objects: int
    keys: Mapping[int, set[str]]
    unreadable: Mapping[str, str]


def athlete_ids(services: UsesStorage) -> list[int]:
    """Every athlete whom the state or the lake's tables know."""
    known = {int(athlete.athlete_id) for athlete in services.state.athletes.all()}
    for table in _TABLES:
        for key in services.lake.objects.list(f"{table}/"):
            _, _, athlete_id = key.split("/")[1].partition("athlete_id=")
            known |= {int(athlete_id)} if athlete_id.isdecimal() else set()
    return sorted(known)


def audit(services: UsesStorage, athlete_id: int, *, dry_run: bool) -> Audited:
    """Compare the athlete's table objects with the ledger, and repair unknown and lost rows.

    A difference is checked again under the activity's lease, so that work under way is none. Then the ledger notes the
    existing rows and makes the activity due: the next sync writes the right rows and removes the others. Rows of an
    expired activity are noted and left to `expire`. An athlete who is not connected is only reported: nothing could be
    fetched.
    Copies that an older version marked failed because of a temporary fault are due again. An unreadable object is
    reported; `make replay` rebuilds its rows once it is deleted.
    Effects: writes the ledger only, and nothing in a dry run; safe to repeat. Reads every object of the athlete.
    """
    held = _held(services, athlete_id)
    ledger: dict[int, LedgerEntry] = {
        entry.activity_id: entry for entry in services.state.activities.of_athlete(athlete_id)
    }
    unknown, lost = set(), set()
    for activity_id in held.keys.keys() | ledger.keys():
        entry = ledger.get(activity_id)
        if entry is not None and entry.due_at_epoch_s is not None:
            continue  # It is fetched anyway, which writes its rows.
        named = _named(entry) - held.unreadable.keys()
        found = held.keys.get(activity_id, set())
        unknown |= {activity_id} if found - named else set()
        lost |= {activity_id} if named - found else set()
    athlete = services.state.athletes.get(athlete_id)
    repaired = 0
    if not dry_run and athlete is not None and athlete.status is AthleteStatus.ACTIVE:
        for activity_id in sorted(unknown | lost):
            repaired += _repair(services, athlete_id, activity_id, held)
        wake_failed_before(services.state.copies, athlete_id, services.state.quota.limits(), services.clock())
    unreadable = tuple(held.unreadable.values())
    return Audited(held.objects, len(held.keys), len(unknown), len(lost), repaired, unreadable)


def _held(services: UsesLake, athlete_id: int) -> _Held:
    keys: dict[int, set[str]] = defaultdict(set)
    unreadable: dict[str, str] = {}
    objects = 0
    for table in _TABLES:
        for key in services.lake.objects.list(f"{table}/athlete_id={athlete_id}/"):
            objects += 1
            try:
                for activity_id in _ids(services, key):
                    keys[activity_id].add(key)
            except UnexpectedShape as error:
                unreadable[key] = str(error)
    return _Held(objects, keys, unreadable)


def _repair(services: UsesStorage, athlete_id: int, activity_id: int, held: _Held) -> bool:
    """Check again under the lease; returns whether something was repaired.

    An unreadable object that the ledger names stays named: it may hold rows.
    """
    with services.state.activities.held(athlete_id, activity_id) as lease:
        if lease is None:
            return False
        entry = lease.entry or LedgerEntry.unknown(athlete_id, activity_id).removed(None, "")
        named = _named(entry)
        unreadable = named & held.unreadable.keys()
        looked_at = (named | held.keys.get(activity_id, set())) - unreadable
        present = unreadable | {key for key in looked_at if activity_id in _ids(services, key)}
        if present == named or entry.due_at_epoch_s is not None:
            services.state.activities.settle(lease, entry)
            return False
        due_at_epoch_s = None if entry.state is ActivityState.EXPIRED else int(services.clock())
        noted = replace(entry, object_keys=tuple(sorted(named | present)), next_try_epoch_s=due_at_epoch_s)
        services.state.activities.postpone(lease, noted)
        return True


def _named(entry: LedgerEntry | None) -> set[str]:
    return set(entry.object_keys) if entry else set()


def _ids(services: UsesLake, key: str) -> frozenset[int]:
    stored = services.lake.objects.get(key)
    return activity_ids(key, stored.body) if stored else frozenset()

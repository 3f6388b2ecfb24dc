"""Every stored record of one athlete, to be counted or removed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from include.errors import UnexpectedShape
from include.lake.keys import athlete_prefixes, gpx_key, tcx_key
from include.lake.objects.objects import Condition
from include.lake.rows.copies import object_of
from include.lake.table_object import decode
from include.pipeline.uses import UsesLake, UsesStorage
from include.state.accounts.athletes import AthleteStatus
from include.state.accounts.notices import Notice, NoticeKind
from include.state.erasures.ledger import Erasure
from include.state.links import Link
from include.state.listings import Listing
from include.state.state import UsesState

_FILE_FOR_CHILD = re.compile(r".+-(?P<child_id>\d+)\.(gpx|tcx)\.gz")
_TABLES = ("streams", "activities", "laps", "freshness")


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """One record of the athlete."""

    kind: str
    remove: Callable[[], object]
    """Removes the record; safe to repeat."""
    object_key: str = ""
    """The key of the lake object, if the record is one."""
    count: int = 1


def shared_object_keys(services: UsesState, athlete_id: int) -> frozenset[str]:
    """The keys of other athletes' objects that, by the ledger of copies, name this athlete.

    Get them before the ledger's rows are removed: without those rows only a listing of everybody's objects finds them.
    """
    keys: set[str] = set()
    for copy in services.state.copies.of_parent(athlete_id):
        keys.add(object_of(copy))
    for copy in services.state.copies.of_child(athlete_id):
        made_of = (copy.parent_id, copy.parent_activity_id, athlete_id)
        keys |= {object_of(copy), gpx_key(*made_of), tcx_key(*made_of)}
    return frozenset(keys)


def all_shared_object_keys(services: UsesStorage, athlete_id: int) -> frozenset[str]:
    """`shared_object_keys` and the objects that no ledger names any more; lists the objects of all athletes."""
    files = {key for key in services.lake.objects.list("gpx/") if is_file_for(key, athlete_id)}
    return shared_object_keys(services, athlete_id) | files | frozenset(services.lake.objects.list("copies/"))


def is_file_for(key: str, athlete_id: int) -> bool:
    """Whether the key names an upload file for the athlete's account."""
    match = _FILE_FOR_CHILD.fullmatch(key)
    return match is not None and int(match["child_id"]) == athlete_id


def personal_records(services: UsesStorage, erasure: Erasure, others: Collection[str]) -> Iterator[PersonalRecord]:
    """Every record of the athlete, in the order of removal; `others` are keys that `shared_object_keys` returned.

    Ledger rows go first: a worker whose lease ran out then finds it lost. A record that leads to another goes after it:
    files before links, links before the athlete's own row, so that the next run after a crash finds all remaining
    records.
    """
    yield from _ledgers(services, erasure.athlete_id)
    yield from _objects(services, erasure.athlete_id, others)
    yield from _copy_rows(services, erasure.athlete_id, others)
    yield from _partitions(services, erasure.athlete_id)
    yield from _links_and_invitations(services, erasure)
    yield from _records(services, erasure.athlete_id)


def count_by_kind(services: UsesLake, found: Iterable[PersonalRecord]) -> dict[str, int]:
    """How many records of each kind there are, and how many rows the lake's tables hold."""
    counts: Counter[str] = Counter()
    for record in found:
        counts[record.kind] += record.count
        table = record.kind.removesuffix("_objects")
        if record.object_key and table in _TABLES:
            counts[f"{table}_rows"] += _rows_in(services, record.object_key)
    return dict(sorted(counts.items()))


def in_words(counts: Mapping[str, int]) -> str:
    """The counts in one line."""
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items()) or "nothing"


def _ledgers(services: UsesState, athlete_id: int) -> Iterator[PersonalRecord]:
    copies = {
        (copy.parent_activity_id, copy.child_id)
        for found in (services.state.copies.of_parent(athlete_id), services.state.copies.of_child(athlete_id))
        for copy in found
    }
    for activity_id, child_id in sorted(copies):
        yield PersonalRecord("copies", partial(services.state.copies.forget, activity_id, child_id))
    days = services.state.outings.of_child(athlete_id)
    if days:
        yield PersonalRecord("outings", partial(services.state.outings.forget_child, athlete_id), count=days)
    for entry in list(services.state.activities.of_athlete(athlete_id)):
        yield PersonalRecord("activities", partial(services.state.activities.forget, athlete_id, entry.activity_id))


def _objects(services: UsesLake, athlete_id: int, others: Collection[str]) -> Iterator[PersonalRecord]:
    """The athlete's objects, and the upload files of other athletes' activities for the athlete's account."""
    keys = [key for prefix in athlete_prefixes(athlete_id) for key in services.lake.objects.list(prefix)]
    files = sorted(key for key in others if is_file_for(key, athlete_id) and key not in keys)
    keys += [key for key in files if services.lake.objects.get(key) is not None]
    for key in keys:
        folder = key.partition("/")[0]
        kind = "upload_files" if folder == "gpx" else f"{folder}_objects"
        yield PersonalRecord(kind, partial(services.lake.objects.delete, key, expected=Condition.ANYTHING), key)


def _copy_rows(services: UsesLake, athlete_id: int, others: Collection[str]) -> Iterator[PersonalRecord]:
    """Rows of `copies` about the athlete; `strava_retention` rebuilds an object that cannot be read."""
    held: dict[str, int] = {}
    for key in sorted(key for key in others if key.startswith("copies/")):
        stored = services.lake.objects.get(key)
        try:
            held[key] = 0 if stored is None else _rows_about(decode(key, stored.body), athlete_id)
        except UnexpectedShape:
            yield PersonalRecord(
                "copies_objects", partial(services.lake.objects.delete, key, expected=Condition.ANYTHING), key
            )
    keys = [key for key, rows in held.items() if rows]
    if keys:
        remove = partial(services.lake.copy_rows.remove_athlete, athlete_id, keys)  # from all of them at once
        yield PersonalRecord("copies_rows", remove, keys[0], sum(held.values()))


def _partitions(services: UsesLake, athlete_id: int) -> Iterator[PersonalRecord]:
    """Partitions in the catalogue, then those that wait for it: a run that registers one meanwhile misses its row."""
    named = services.lake.catalog.of_athlete(athlete_id)
    if named:
        yield PersonalRecord("catalog_partitions", partial(services.lake.catalog.unregister, named), count=len(named))
    for partition in services.lake.partitions.of_athlete(athlete_id):
        yield PersonalRecord("partitions", partial(services.lake.partitions.forget, partition))


def _links_and_invitations(services: UsesState, erasure: Erasure) -> Iterator[PersonalRecord]:
    """Links, whose other side is told that they have ended, and invitations."""
    athlete_id = erasure.athlete_id
    to_parents, to_children = services.state.links.of_child(athlete_id), services.state.links.of_parent(athlete_id)
    invites = services.state.invites
    found = {invite.invite_id for side in (invites.of_parent, invites.of_child) for invite in side(athlete_id)}
    for link in to_parents:  # rows of older versions are not in the index of children
        found |= {each.invite_id for each in invites.of_parent(link.parent_id) if each.child_id == athlete_id}
    for invite_id in sorted(found):
        yield PersonalRecord("invites", partial(invites.forget, invite_id))
    for link in to_parents:
        yield PersonalRecord(
            "links", partial(_end_link, services, erasure, link, link.parent_id, NoticeKind.CHILD_ERASED)
        )
    for link in to_children:
        yield PersonalRecord(
            "links", partial(_end_link, services, erasure, link, link.child_id, NoticeKind.PARENT_ERASED)
        )


def _end_link(services: UsesState, erasure: Erasure, link: Link, other_id: int, kind: NoticeKind) -> None:
    """Notify the other athlete, then remove the link; the notice names nobody."""
    notice_id = f"{kind}.{erasure.began_at_epoch_s}"
    services.state.notices.save(Notice(other_id, notice_id, kind, erasure.began_at_epoch_s))
    services.state.links.forget(link.parent_id, link.child_id)


def _records(services: UsesState, athlete_id: int) -> Iterator[PersonalRecord]:
    for event_id in list(services.state.events.of_athlete(athlete_id)):
        yield PersonalRecord("events", partial(services.state.events.forget, event_id))
    notices = len(list(services.state.notices.of_athlete(athlete_id)))
    if notices:
        yield PersonalRecord("notices", partial(services.state.notices.forget, athlete_id), count=notices)
    addresses = services.state.mail_addresses.count(athlete_id)
    if addresses:
        erase = partial(services.state.mail_addresses.erase, athlete_id)
        yield PersonalRecord("mail_addresses", erase, count=addresses)
    mails = services.state.sent_mails.count(athlete_id)
    if mails:
        yield PersonalRecord("sent_mails", partial(services.state.sent_mails.forget, athlete_id), count=mails)
    places = len(services.state.places.sealed(athlete_id))
    if places:
        yield PersonalRecord("places", partial(services.state.places.forget, athlete_id), count=places)
    if services.state.listings.get(athlete_id) != Listing(athlete_id):
        yield PersonalRecord("listings", partial(services.state.listings.forget, athlete_id))
    histories = len(list(services.state.histories.of_athlete(athlete_id)))
    if histories:
        yield PersonalRecord("histories", partial(services.state.histories.forget, athlete_id), count=histories)
    athlete = services.state.athletes.get(athlete_id)
    if athlete is not None and athlete.status is not AthleteStatus.ACTIVE:
        yield PersonalRecord("athletes", partial(services.state.athletes.forget, athlete_id))


def _rows_in(services: UsesLake, key: str) -> int:
    """The number of rows in a table object; 0 for one that is gone or unreadable, which must not stop the erasure."""
    stored = services.lake.objects.get(key)
    try:
        return 0 if stored is None else int(decode(key, stored.body).num_rows)
    except UnexpectedShape:
        return 0


def _rows_about(copies: pa.Table, athlete_id: int) -> int:
    about = pc.or_(pc.equal(copies["parent_id"], athlete_id), pc.equal(copies["child_id"], athlete_id))
    return int(copies.filter(about).num_rows)

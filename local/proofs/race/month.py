"""The proof of the month: many processes write one athlete-month at once, on files and on S3."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from tempfile import TemporaryDirectory

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import ObjectStore
from include.lake.rows.synced import ActivityRows, build_rows
from include.lake.table_object import decode
from include.strava.models import Activity, StreamSet
from local.proofs.race.aws import BUCKET, CREDENTIALS, create_bucket, service
from local.proofs.race.race_world import ATHLETE_ID, in_environment
from local.proofs.race.workers.polling import polling
from local.proofs.race.workers.pool import JobResult, Work, Workers, hosted
from local.proofs.verdict import Advance, Verdict

PROCESSES = 8
POINTS = 12
_STREAMS = f"streams/athlete_id={ATHLETE_ID}/year=2026/2026-05.parquet"
_LOOK_S = 1.0


class LakeKind(StrEnum):
    """The two implementations of the lake's object store."""

    FILES = "files"
    S3 = "s3"


@dataclass(slots=True)
class Reader:
    """Reads the month repeatedly beside the writers."""

    objects: ObjectStore
    settled: set[int] = field(default_factory=set)
    """The activities whose write has returned: from then on every read has to find them."""
    looks: int = 0
    wrong: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Read the month once: it has to contain every settled activity, and each point of any activity once."""
        expected = frozenset(self.settled)
        points = _points(self.objects)
        self.looks += 1
        if missing := expected - points.keys():
            self.wrong.append(f"a reader missed {sorted(missing)[:3]}")
        if odd := {activity: count for activity, count in points.items() if count != POINTS}:
            self.wrong.append(f"a reader saw other than {POINTS} points: {dict(list(odd.items())[:3])}")


def prove_month(kind: LakeKind, *, writes: int, advance: Advance) -> list[Verdict]:
    """Let processes write one activity after the other into the same month while a reader reads it."""
    with ExitStack() as stack:
        lake_url, environ = _opened(kind, stack)
        workers = stack.enter_context(Workers(PROCESSES, month_worker, lake_url, environ))
        reader = Reader(open_objects(lake_url))
        stack.enter_context(polling(reader.look))
        failed = _write_all(workers, writes, reader, advance)
    lost = set(range(1, writes + 1)) - reader.settled
    return [
        Verdict(
            f"month · {kind}",
            f"{PROCESSES} processes write one athlete-month: no row is lost, a reader misses none and sees none twice",
            f"{writes} writes, {len(failed)} failed, {len(lost)} not there in the end;"
            f" {reader.looks} looks of a reader meanwhile, {len(reader.wrong)} wrong"
            + "".join(f"; {each}" for each in [*map(repr, failed), *reader.wrong][:3]),
            not failed and not lost and not reader.wrong,
        )
    ]


@contextmanager
def month_worker(_: int, lake_url: str, environ: Mapping[str, str]) -> Iterator[Work]:
    """A worker that writes the activity of each number that it gets."""
    os.environ.update(environ)
    lake = Lake(open_objects(lake_url))

    def work(activity_id: int) -> int:
        lake.write([_rows(activity_id)], guard=_held)
        return activity_id

    yield work


def _opened(kind: LakeKind, stack: ExitStack) -> tuple[str, Mapping[str, str]]:
    if kind is LakeKind.FILES:
        return f"file://{stack.enter_context(TemporaryDirectory(prefix='race-'))}/lake", {}
    environ = {"AWS_ENDPOINT_URL": stack.enter_context(hosted(service, "s3")), **CREDENTIALS}
    stack.enter_context(in_environment(environ))
    create_bucket()
    return f"s3://{BUCKET}/lake", environ


def _write_all(workers: Workers, writes: int, reader: Reader, advance: Advance) -> Sequence[Exception]:
    """Give every number to a free worker once; returns the errors."""
    numbers = iter(range(1, writes + 1))
    failed: list[Exception] = []
    done = 0
    for worker, number in zip(sorted(workers.alive), numbers, strict=False):
        workers.send(worker, number)
    while workers.busy:
        for answer in workers.answers(_LOOK_S):
            done += 1
            _settle(answer, reader, failed)
            for further in islice(numbers, 1):
                workers.send(answer.worker, further)
        advance(done)
    return failed


def _settle(answer: JobResult, reader: Reader, failed: list[Exception]) -> None:
    if answer.error is None:
        reader.settled.add(answer.value)
    else:
        failed.append(answer.error)


def _points(objects: ObjectStore) -> Counter[int]:
    """How many points of each activity the month contains."""
    stored = objects.get(_STREAMS)
    return Counter(decode(_STREAMS, stored.body)["activity_id"].to_pylist() if stored else ())


def _rows(activity_id: int) -> ActivityRows:
    answer = {"id": activity_id, "athlete": {"id": ATHLETE_ID}, "start_date": "2026-05-01T08:00:00Z"}
    streams = StreamSet({"time": list(range(POINTS)), "heartrate": [120 + activity_id % 60] * POINTS}, b"")
    return build_rows(Activity.parse(answer), streams, made={}, source="webhook", updated_at_epoch_s=0)


def _held() -> None:
    """A lease that holds."""

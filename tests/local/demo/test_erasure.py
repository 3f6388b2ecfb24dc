"""What an erasure left is found, wherever it is; what may stay is not taken for it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from include.state.accounts.notices import Notice, NoticeKind, Notices
from include.state.erasures.ledger import EraseReason, Erasures
from include.state.events import EventAudit
from include.store.sqlite import SqliteStore
from include.store.store import ABSENT, Key
from local.demo import erasure
from local.testbed.inspection import FileInspection

ANN = 4_100_001
CERTIFICATE = '{"finished_at": "2026-01-01T00:00:00+00:00", "removed": {"raw_objects": 2000}}'


def now() -> float:
    return 1_800_000_000.0


@pytest.fixture
def inspection(tmp_path: Path) -> FileInspection:
    (tmp_path / "lake" / "certificates").mkdir(parents=True)
    (tmp_path / "lake" / "certificates" / f"{ANN}-20260101T000000Z.json").write_text(CERTIFICATE)
    return FileInspection(tmp_path / "lake", tmp_path / "state.sqlite")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.sqlite", now)


def test_clean_erasure_holds_and_its_mark_and_stravas_own_event_may_stay(
    inspection: FileInspection, store: SqliteStore
) -> None:
    assert not erasure.is_over(store, now, ANN)
    erasures = Erasures(store, now)
    erasures.ask_now(ANN, EraseReason.ATHLETE)
    assert not erasure.is_over(store, now, ANN)
    lease = erasures.acquire(ANN)
    assert lease is not None
    erasures.settle(lease.finished(int(now())))
    EventAudit(store, now).record("event", athlete_id=ANN, object_id=ANN, outcome="dropped: unknown athlete")
    store.put(Key("certificates", "h" * 64), {"athlete_id": ANN}, expected_version=ABSENT)
    assert erasure.is_over(store, now, ANN)
    store.close()
    out = StringIO()

    findings = erasure.examine(inspection, ANN, 1.5)
    erasure.show(Console(file=out, width=120), findings)

    assert findings.hold
    assert "2,000 raw objects; the certificate stays" in out.getvalue()
    assert "No data of the parent remains" in out.getvalue()


@pytest.mark.parametrize("place", [f"raw/athlete_id={ANN}", f"copies/year=2026/{ANN}.parquet"])
def test_file_or_empty_folder_that_names_the_athlete_is_found(
    inspection: FileInspection, store: SqliteStore, tmp_path: Path, place: str
) -> None:
    store.close()
    (tmp_path / "lake" / place).mkdir(parents=True)

    assert erasure.examine(inspection, ANN, 0).left == (f"lake: {place}",)


def test_row_that_names_the_athlete_is_found_and_another_athletes_is_not(
    inspection: FileInspection, store: SqliteStore
) -> None:
    for athlete_id in (ANN, ANN * 10):
        Notices(store, now).save(Notice(athlete_id, "one", NoticeKind.CHILD_ERASED, 1))
    store.close()

    assert erasure.examine(inspection, ANN, 0).left == (f"state: notices {ANN}",)


def test_erasure_without_a_certificate_does_not_hold(
    inspection: FileInspection, store: SqliteStore, tmp_path: Path
) -> None:
    store.close()
    next((tmp_path / "lake" / "certificates").iterdir()).unlink()

    findings = erasure.examine(inspection, ANN, 0)
    erasure.show(Console(file=StringIO()), findings)

    assert not findings.hold

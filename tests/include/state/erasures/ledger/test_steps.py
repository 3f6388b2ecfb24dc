"""The rows of erasures: which step follows which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.errors import Refused
from include.state.erasures.entry import NEXT_TRY_S, TRANSITIONS
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, Erasures, ErasureStage
from include.store.store import ABSENT, Key, Store

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION
S = ErasureStage


ALLOWED = {
    (S.ASKED, S.UNDER_WAY),
    (S.ASKED, S.FINISHED),
    (S.ASKED, S.WITHDRAWN),
    (S.UNDER_WAY, S.UNDER_WAY),
    (S.UNDER_WAY, S.FINISHED),
    (S.UNDER_WAY, S.WITHDRAWN),
    (S.FINISHED, S.ASKED),
    (S.FINISHED, S.WITHDRAWN),
    (S.WITHDRAWN, S.ASKED),
}
STEPS: dict[ErasureStage, Callable[[Erasure], Erasure]] = {
    S.ASKED: lambda erasure: erasure.asked(ErasureGrounds(OPERATOR, 1), 1),
    S.UNDER_WAY: Erasure.confirmed,
    S.FINISHED: lambda erasure: erasure.finished(1),
    S.WITHDRAWN: Erasure.withdrawn,
}


def test_table_of_steps_is_what_is_allowed() -> None:
    assert {(source, step.target) for step in TRANSITIONS for source in step.sources} == ALLOWED


@pytest.mark.parametrize("source", list(S))
@pytest.mark.parametrize("target", list(S))
def test_erasure_takes_a_step_exactly_when_the_table_has_it(source: ErasureStage, target: ErasureStage) -> None:
    erasure = replace(Erasure.first(ANN, ErasureGrounds(OPERATOR, 0), 0), stage=source)

    if (source, target) in ALLOWED:
        assert STEPS[target](erasure).stage is target
    else:
        with pytest.raises(Refused, match=f"that is {source} cannot become {target}"):
            STEPS[target](erasure)


@pytest.mark.parametrize(
    ("stored", "stage"),
    [
        pytest.param("under_way", S.UNDER_WAY, id="under way"),
        pytest.param("finished", S.FINISHED, id="finished"),
        pytest.param("lifted", S.WITHDRAWN, id="lifted"),
    ],
)
def test_row_of_the_version_before_is_read(erasures: Erasures, store: Store, stored: str, stage: ErasureStage) -> None:
    row = {"kind": "erasure", "athlete_id": ANN, "reason": "athlete", "began_at_epoch_s": 5, "stage": stored}
    store.put(Key("erasures", str(ANN)), row, expected_version=ABSENT)

    erasure = erasures.get(ANN)

    assert erasure is not None
    assert (erasure.stage, erasure.grounds, erasure.lease_until_epoch_s) == (stage, ErasureGrounds(ATHLETE, 5), 0)
    assert [found.athlete_id for found in erasures.due()] == ([ANN] if stage is S.UNDER_WAY else [])


def test_erasure_that_is_requested_again_is_due_as_the_first_was() -> None:
    first = Erasure.first(ANN, ErasureGrounds(OPERATOR, 100), 100)

    again = first.confirmed().finished(200).asked(ErasureGrounds(ATHLETE, 300), 300)

    assert (first.next_try_epoch_s, again.next_try_epoch_s) == (100 + NEXT_TRY_S, 300 + NEXT_TRY_S)
    assert (again.began_at_epoch_s, again.finished_at_epoch_s) == (300, None)


# --- what each step leaves -----------------------------------------------------------------------


OLD = Erasure(
    athlete_id=ANN,
    grounds=ErasureGrounds(ATHLETE, 90),
    began_at_epoch_s=100,
    stage=S.ASKED,
    next_try_epoch_s=1000,
    finished_at_epoch_s=None,
    link_id="secret",
    fence=3,
    lease_until_epoch_s=400.5,
    version=5,
)


def test_first_erasure_is_a_request_that_is_due_in_a_window() -> None:
    grounds = ErasureGrounds(ATHLETE, 90)

    assert Erasure.first(ANN, grounds, 100) == Erasure(ANN, grounds, 100, S.ASKED, next_try_epoch_s=1000)


@pytest.mark.parametrize(
    ("now", "began"),
    [
        pytest.param(300, 300, id="later"),
        pytest.param(101, 101, id="a second later"),
        pytest.param(100, 101, id="in the same second"),
        pytest.param(7, 101, id="by a clock that was set back"),
    ],
)
def test_erasure_that_is_requested_again_keeps_its_row_and_begins_later(now: int, began: int) -> None:
    finished = replace(OLD, stage=S.FINISHED, finished_at_epoch_s=200)

    assert finished.asked(ErasureGrounds(OPERATOR, 299), now) == replace(
        OLD, grounds=ErasureGrounds(OPERATOR, 299), began_at_epoch_s=began, next_try_epoch_s=now + 900
    )


def test_step_changes_the_stage_and_nothing_else_but_when_it_was_finished() -> None:
    assert OLD.confirmed() == replace(OLD, stage=S.UNDER_WAY)
    assert OLD.finished(200) == replace(OLD, stage=S.FINISHED, finished_at_epoch_s=200)
    assert OLD.withdrawn() == replace(OLD, stage=S.WITHDRAWN)


@pytest.mark.parametrize("stage", list(S))
@pytest.mark.parametrize("grounds", [ErasureGrounds(EVENT, 2**40), ErasureGrounds(OPERATOR, 2**40)])
def test_request_is_joined_only_before_the_erasure_has_begun(stage: ErasureStage, grounds: ErasureGrounds) -> None:
    erasure = replace(OLD, stage=stage, grounds=ErasureGrounds(EVENT, 5))

    assert erasure.joined(grounds) == (replace(erasure, grounds=grounds) if stage is S.ASKED else erasure)


@pytest.mark.parametrize("reason", list(EraseReason))
@pytest.mark.parametrize("stage", list(S))
def test_erasure_forbids_and_clears_away_by_its_stage_and_who_asked(stage: ErasureStage, reason: EraseReason) -> None:
    erasure = replace(OLD, stage=stage, grounds=ErasureGrounds(reason, 90))

    begun = stage in (S.UNDER_WAY, S.FINISHED)
    assert erasure.is_open is (stage in (S.ASKED, S.UNDER_WAY))
    assert erasure.clears_away is begun
    assert erasure.forbids_writing is (begun or (stage is S.ASKED and reason is not EVENT))
    assert erasure.is_withdrawable is (stage is S.ASKED and reason is ATHLETE)

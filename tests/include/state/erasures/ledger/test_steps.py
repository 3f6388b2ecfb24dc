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

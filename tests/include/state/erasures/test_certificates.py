"""Certificates, from the draft to the mail that reports the end, and who may send it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.erasures.certificates import Certificates, LinkedCertificate
from include.state.erasures.entry import EraseReason, Erasure, ErasureGrounds
from include.store.store import Key, Store

NOW = 1_700_000_000
DAYS_90_S = 90 * 86_400
ERASURE = replace(Erasure.first(42, ErasureGrounds(EraseReason.ATHLETE, NOW), NOW), link_id="secret")
DRAFT = LinkedCertificate("secret", 42, NOW)


@pytest.fixture
def certificates(store: Store, clock: Clock) -> Certificates:
    return Certificates(store, clock)


def stored(certificates: Certificates) -> LinkedCertificate:
    """The certificate of the link."""
    certificate = certificates.get("secret")
    assert certificate is not None
    return certificate


def finished(certificates: Certificates, sealed_address: str = "sealed") -> LinkedCertificate:
    certificates.open(ERASURE, sealed_address)
    certificates.finish(ERASURE, "{}")
    return stored(certificates)


def test_no_certificate_is_found_by_another_link(certificates: Certificates) -> None:
    certificates.open(ERASURE)

    assert certificates.get("secre") is None


@pytest.mark.parametrize(
    ("addresses", "left", "version"),
    [
        pytest.param([""], "", 1, id="none"),
        pytest.param(["", "a"], "a", 2, id="given later"),
        pytest.param(["a", "b"], "a", 1, id="given twice"),
        pytest.param(["a", ""], "a", 1, id="repeated without"),
    ],
)
def test_draft_keeps_the_first_address_that_is_given(
    certificates: Certificates, addresses: list[str], left: str, version: int
) -> None:
    for address in addresses:
        certificates.open(ERASURE, address)

    assert stored(certificates) == replace(DRAFT, sealed_address=left, version=version)
    assert not stored(certificates).is_finished
    assert list(certificates.mail_due()) == []


def test_finished_certificate_keeps_its_document_and_the_address_and_takes_no_other(
    certificates: Certificates,
) -> None:
    certificates.open(ERASURE, "sealed")

    certificates.finish(ERASURE, '{"athlete_id": 42}')
    certificates.finish(ERASURE, "another")

    done = replace(DRAFT, document='{"athlete_id": 42}', sealed_address="sealed", version=2)
    assert (stored(certificates), done.is_finished) == (done, True)
    assert list(certificates.mail_due()) == [done]


def test_certificate_is_finished_where_no_draft_was_stored_and_gets_no_address_afterwards(
    certificates: Certificates,
) -> None:
    certificates.finish(ERASURE, "{}")
    certificates.open(ERASURE, "sealed")

    assert stored(certificates) == replace(DRAFT, document="{}", version=1)
    assert list(certificates.mail_due()) == []


def test_draft_goes_when_it_was_not_finished_for_90_days_and_a_finished_one_stays(
    certificates: Certificates, pass_time: Callable[[float], None]
) -> None:
    other = replace(ERASURE, athlete_id=43, link_id="another secret")
    finished(certificates)
    certificates.open(other)

    pass_time(DAYS_90_S - 1)
    kept = certificates.get("another secret")
    pass_time(2)

    assert kept is not None
    assert certificates.get("another secret") is None
    pass_time(100 * DAYS_90_S)
    assert certificates.get("secret") is not None


def test_text_of_a_certificate_shows_no_sealed_address(certificates: Certificates) -> None:
    assert "sealed" not in repr(finished(certificates, "sealed"))


# --- the mail ------------------------------------------------------------------------------------


def test_mail_is_claimed_by_one_worker_and_stays_due_until_it_is_settled(
    certificates: Certificates, pass_time: Callable[[float], None]
) -> None:
    seen = finished(certificates)
    pass_time(5.5)

    claimed = certificates.claim(seen)

    assert claimed == replace(seen, claimed_at_epoch_s=NOW + 5, version=3)
    assert certificates.claim(seen) is None, "it was claimed since it was seen"
    assert claimed is not None
    assert certificates.claim(claimed) is None
    assert list(certificates.mail_due()) == [claimed]


def test_claim_that_is_released_can_be_taken_again(certificates: Certificates) -> None:
    claimed = certificates.claim(finished(certificates))
    assert claimed is not None

    certificates.unclaim(claimed)

    released = replace(claimed, claimed_at_epoch_s=None, version=4)
    assert list(certificates.mail_due()) == [released]
    assert certificates.claim(released) is not None


def test_address_is_forgotten_when_the_mail_is_settled(certificates: Certificates, store: Store) -> None:
    claimed = certificates.claim(finished(certificates))
    assert claimed is not None

    certificates.forget_address(claimed)

    assert stored(certificates) == replace(claimed, sealed_address="", version=4)
    assert list(certificates.mail_due()) == []
    assert list(store.find("certificates", "mail_due", "due")) == []


@pytest.mark.parametrize(
    "step", [pytest.param(Certificates.unclaim, id="unclaim"), pytest.param(Certificates.forget_address, id="forget")]
)
def test_step_from_an_older_view_changes_nothing(
    certificates: Certificates, step: Callable[[Certificates, LinkedCertificate], None]
) -> None:
    seen = finished(certificates)
    claimed = certificates.claim(seen)

    step(certificates, seen)

    assert stored(certificates) == claimed


def test_address_is_sealed_again_unless_the_row_has_changed(certificates: Certificates) -> None:
    seen = finished(certificates)
    certificates.reseal(seen, "sealed anew")

    with pytest.raises(VersionConflict):
        certificates.reseal(seen, "too late")

    assert stored(certificates) == replace(seen, sealed_address="sealed anew", version=3)


@pytest.mark.parametrize(
    "since",
    [
        pytest.param({"sealed_address": ""}, id="settled"),
        pytest.param({"document": ""}, id="not finished"),
        pytest.param(None, id="gone"),
    ],
)
def test_mail_that_the_index_still_names_is_not_due_when_it_is_settled(
    certificates: Certificates, store: Store, monkeypatch: pytest.MonkeyPatch, since: dict[str, str] | None
) -> None:
    finished(certificates)
    late = list(store.find("certificates", "mail_due", "due"))
    monkeypatch.setattr(store, "find", lambda *_: iter(late))
    item = store.get(Key("certificates", "secret"))
    assert item is not None
    if since is None:
        store.delete(item.key, expected_version=item.version)
    else:
        store.put(item.key, {**item.fields, **since}, expected_version=item.version)

    assert list(certificates.mail_due()) == []

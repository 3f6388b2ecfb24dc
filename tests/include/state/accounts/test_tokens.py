"""Fresh access tokens: one refresh at a time, and no rotated pair ever lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import (
    ApplicationInactive,
    BadRequest,
    CipherError,
    IngestError,
    NotConnected,
    RetryLater,
    ScopeMissing,
    StravaUnavailable,
    TokenEndpointFault,
    TokenRefused,
)
from include.state.accounts.athletes import Athletes, AthleteStatus, Narrowing, athlete_key
from include.state.accounts.token_pair import SealedTokens, TokenPair, sealer
from include.state.accounts.tokens import LEASE_S, Tokens
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

ATHLETE = AthleteId(42)
LIFETIME_S = 21_600
READ = frozenset({"read", "activity:read"})


@dataclass
class Strava:
    """A token endpoint that rotates at every refresh and refuses every refresh token but the newest."""

    clock: Clock
    newest: int = 0
    calls: int = 0
    answers: list[Callable[[TokenGrant], TokenGrant]] = field(default_factory=list)
    """What becomes of the next answers on their way."""
    failing_with: IngestError | None = None
    while_busy: list[Callable[[], object]] = field(default_factory=list)
    """What happens between Strava's answer and its arrival, once."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def grant(self, athlete: Athlete | None = None) -> TokenGrant:
        return TokenGrant(
            f"ACCESS-SECRET-{self.newest}", f"REFRESH-SECRET-{self.newest}", int(self.clock()) + LIFETIME_S, athlete
        )

    def refresh(self, athlete_id: int, refresh_token: str) -> TokenGrant:
        with self.lock:
            self.calls += 1
            if self.failing_with is not None:
                raise self.failing_with
            if refresh_token != f"REFRESH-SECRET-{self.newest}":
                raise TokenRefused("the refresh token is no longer valid")
            self.newest += 1
            grant = self.grant()
        if self.answers:
            grant = self.answers.pop(0)(grant)
        if self.while_busy:
            self.while_busy.pop()()
        return grant


@pytest.fixture
def strava(clock: Clock) -> Strava:
    return Strava(clock)


@pytest.fixture
def athletes(store: Store, cipher: Cipher, clock: Clock, strava: Strava) -> Athletes:
    athletes = Athletes(store, cipher, clock)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
    return athletes


@pytest.fixture
def tokens(
    athletes: Athletes, store: Store, cipher: Cipher, clock: Clock, strava: Strava, pass_time: Callable[[float], None]
) -> Tokens:
    """Tokens of a connected athlete, whose workers wait by moving the clock."""
    return Tokens(store, cipher, clock, strava.refresh, wait=pass_time)


def access_token(tokens: Tokens) -> str:
    return tokens.access_token(ATHLETE, scope="activity:read")


def status_of(athletes: Athletes) -> AthleteStatus | None:
    row = athletes.get(ATHLETE)
    return row.status if row else None


# --- one worker ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_s", "calls"),
    [
        pytest.param(LIFETIME_S, 0, id="new"),
        pytest.param(300, 0, id="at the margin"),
        pytest.param(299, 1, id="within the margin"),
        pytest.param(0, 1, id="at its end"),
        pytest.param(-86_400, 1, id="long expired"),
    ],
)
def test_token_is_refreshed_only_when_little_is_left(
    tokens: Tokens, strava: Strava, pass_time: Callable[[float], None], left_s: int, calls: int
) -> None:
    pass_time(LIFETIME_S - left_s)

    assert access_token(tokens) == access_token(tokens) == f"ACCESS-SECRET-{calls}"
    assert strava.calls == calls


def test_pair_is_not_asked_for_while_it_could_not_be_sealed(
    tokens: Tokens, strava: Strava, cipher: Cipher, monkeypatch: pytest.MonkeyPatch, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    with monkeypatch.context() as patched:
        patched.setattr(cipher, "sealer", Mock(side_effect=RetryLater("the key does not answer")))
        with pytest.raises(RetryLater, match="the key does not answer"):
            access_token(tokens)

    assert strava.calls == 0
    assert access_token(tokens) == "ACCESS-SECRET-1"


def test_each_refresh_uses_the_pair_of_the_one_before(
    tokens: Tokens, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    for number in range(1, 5):
        pass_time(LIFETIME_S)
        assert access_token(tokens) == f"ACCESS-SECRET-{number}"

    assert strava.calls == 4


def test_new_pair_is_stored_when_the_worker_dies_at_once(
    tokens: Tokens, strava: Strava, store: Store, cipher: Cipher, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    access_token(tokens)

    other = Tokens(store, cipher, clock, strava.refresh, wait=pass_time)

    assert access_token(other) == "ACCESS-SECRET-1"
    assert strava.calls == 1


@pytest.mark.parametrize(
    ("granted", "wanted", "allowed"),
    [
        pytest.param({"activity:read"}, "activity:read", True, id="the same"),
        pytest.param({"activity:read_all"}, "activity:read", True, id="all includes some"),
        pytest.param({"activity:read"}, "activity:read_all", False, id="some is not all"),
        pytest.param({"activity:read_all"}, "activity:write", False, id="reading is not writing"),
        pytest.param({"read"}, "activity:read", False, id="another kind"),
        pytest.param(set(), "read", False, id="nothing"),
    ],
)
def test_scope_is_checked_before_anything_else(
    tokens: Tokens, athletes: Athletes, strava: Strava, granted: set[str], wanted: str, allowed: bool
) -> None:
    narrowing = Narrowing(ATHLETE, READ, removes=False)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), frozenset(granted), narrowing)

    if allowed:
        assert tokens.access_token(ATHLETE, scope=wanted) == "ACCESS-SECRET-0"
    else:
        with pytest.raises(ScopeMissing, match=f"athlete 42 did not grant {wanted}") as caught:
            tokens.access_token(ATHLETE, scope=wanted)
        assert caught.value.scope == wanted
    assert strava.calls == 0


@pytest.mark.parametrize("status", [AthleteStatus.REVOKED, AthleteStatus.NEEDS_REAUTH])
def test_no_token_is_given_when_the_athlete_is_not_active(
    tokens: Tokens, athletes: Athletes, strava: Strava, status: AthleteStatus
) -> None:
    athletes.mark(ATHLETE, status)

    with pytest.raises(NotConnected, match=f"athlete 42 is {status}"):
        access_token(tokens)
    assert strava.calls == 0


def test_no_token_is_given_when_it_was_destroyed(tokens: Tokens, athletes: Athletes) -> None:
    athletes.mark(ATHLETE, AthleteStatus.REVOKED)
    athletes.mark(ATHLETE, AthleteStatus.ACTIVE)

    with pytest.raises(NotConnected, match="connect again"):
        access_token(tokens)


def test_no_token_is_given_when_the_athlete_is_unknown(tokens: Tokens) -> None:
    with pytest.raises(NotConnected, match="athlete 43"):
        tokens.access_token(43, scope="read")


def test_athlete_needs_to_connect_again_when_the_refresh_is_refused(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.newest = 99  # somebody outside has refreshed: ours is dead

    with pytest.raises(TokenRefused, match="athlete 42") as caught:
        access_token(tokens)

    assert "SECRET" not in str(caught.value)
    assert (status_of(athletes), strava.calls) == (AthleteStatus.NEEDS_REAUTH, 1)
    with pytest.raises(NotConnected):
        access_token(tokens)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
    assert access_token(tokens) == "ACCESS-SECRET-99"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StravaUnavailable("down"), id="Strava is down"),
        pytest.param(ApplicationInactive("off"), id="the application is switched off"),
        pytest.param(BadRequest("client secret"), id="the client secret is wrong"),
    ],
)
def test_athlete_stays_active_when_the_fault_is_not_the_athletes(
    tokens: Tokens, athletes: Athletes, strava: Strava, hands: list[float], error: IngestError
) -> None:
    hands[0] += LIFETIME_S
    before = hands[0]
    strava.failing_with = error
    with pytest.raises(type(error)):
        access_token(tokens)
    strava.failing_with = None

    assert status_of(athletes) is AthleteStatus.ACTIVE
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert hands[0] == before  # the lease was given back: nobody had to wait


def test_rejected_token_is_refreshed_next_time(tokens: Tokens, strava: Strava) -> None:
    tokens.reject(ATHLETE, access_token(tokens))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


@pytest.mark.parametrize(
    ("athlete_id", "token"),
    [
        pytest.param(ATHLETE, "ACCESS-SECRET-7", id="a token that is no longer stored"),
        pytest.param(43, "ACCESS-SECRET-0", id="an unknown athlete"),
    ],
)
def test_rejecting_changes_nothing(tokens: Tokens, strava: Strava, athlete_id: int, token: str) -> None:
    tokens.reject(athlete_id, token)

    assert access_token(tokens) == "ACCESS-SECRET-0"
    assert strava.calls == 0


def test_rejecting_changes_nothing_when_the_athlete_disconnected(tokens: Tokens, athletes: Athletes) -> None:
    athletes.mark(ATHLETE, AthleteStatus.REVOKED)

    tokens.reject(ATHLETE, "ACCESS-SECRET-0")

    assert status_of(athletes) is AthleteStatus.REVOKED


def test_missing_key_is_no_fault_of_the_athlete(
    athletes: Athletes, store: Store, clock: Clock, strava: Strava, tmp_path: Path, pass_time: Callable[[float], None]
) -> None:
    tokens = Tokens(store, KeyFileCipher(tmp_path / "other.key"), clock, strava.refresh, wait=pass_time)

    with pytest.raises(CipherError):
        access_token(tokens)

    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_only_one_write_lies_between_the_answer_and_the_stored_pair(
    tokens: Tokens, store: Store, strava: Strava, pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time(LIFETIME_S)
    asked: list[str] = []

    def watch() -> None:
        for name in ("get", "put", "query", "find", "add", "delete"):
            operation = getattr(store, name)
            monkeypatch.setattr(
                store, name, lambda *args, _name=name, _do=operation, **kw: (asked.append(_name), _do(*args, **kw))[1]
            )

    strava.while_busy.append(watch)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert asked == ["put"]


@pytest.mark.parametrize("is_written", [pytest.param(False, id="refused"), pytest.param(True, id="answer lost")])
def test_new_pair_is_stored_when_the_store_fails_for_a_while(
    tokens: Tokens,
    store: Store,
    strava: Strava,
    pass_time: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    is_written: bool,
) -> None:
    pass_time(LIFETIME_S)
    put, failures = store.put, [RetryLater("throttled")] * 3

    def throttled(*args: Any, **options: Any) -> int:
        if failures and is_written:
            put(*args, **options)
        if failures:
            raise failures.pop()
        return put(*args, **options)

    strava.while_busy.append(lambda: monkeypatch.setattr(store, "put", throttled))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


# --- answers that are to be doubted --------------------------------------------------------------


def doubted(grant: TokenGrant) -> TokenGrant:
    return replace(grant, doubts=("the time when it expires",))


def nobodys(grant: TokenGrant) -> TokenGrant:
    return replace(doubted(grant), access_token="ACCESS-NOBODYS", refresh_token="REFRESH-NOBODYS")


def without_access_token(grant: TokenGrant) -> TokenGrant:
    return replace(doubted(grant), access_token="", expires_at_epoch_s=0)


def test_pair_of_a_doubted_answer_is_used_and_renewed_when_strava_knows_it(
    tokens: Tokens, strava: Strava, pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [doubted, doubted]
    for number in (1, 2, 3):
        assert access_token(tokens) == access_token(tokens) == f"ACCESS-SECRET-{number}"
        pass_time(LIFETIME_S)

    assert strava.calls == 3
    assert caplog.text.count("renewal of athlete 42 is doubted (the time when it expires)") == 2
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("answers", [1, 3])
def test_former_refresh_token_is_used_when_strava_does_not_know_the_doubted_one(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None], answers: int
) -> None:
    """Something else answered: Strava has rotated nothing. What answers so again takes its own token, too."""
    pass_time(LIFETIME_S)
    genuine = strava.refresh

    def another(athlete_id: int, refresh_token: str) -> TokenGrant:
        return nobodys(strava.grant())

    tokens._refresh = another
    for _ in range(answers):
        assert access_token(tokens) == "ACCESS-NOBODYS"
        tokens.reject(ATHLETE, "ACCESS-NOBODYS")
    tokens._refresh = genuine

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert status_of(athletes) is AthleteStatus.ACTIVE
    assert strava.calls == 2  # the doubted one was refused first


def test_athlete_needs_to_connect_again_when_doubted_and_former_are_refused(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [nobodys]
    access_token(tokens)
    tokens.reject(ATHLETE, "ACCESS-NOBODYS")

    with pytest.raises(TokenRefused, match="athlete 42"):
        access_token(tokens)

    assert (status_of(athletes), strava.calls) == (AthleteStatus.NEEDS_REAUTH, 3)


def test_refresh_token_is_kept_when_no_access_token_came_with_it(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [without_access_token]
    with pytest.raises(TokenEndpointFault, match="gave athlete 42 no access token"):
        access_token(tokens)

    assert access_token(tokens) == "ACCESS-SECRET-2"
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_answer_without_a_doubt_ends_the_doubt(
    tokens: Tokens, store: Store, cipher: Cipher, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    def kept() -> TokenPair:
        item = store.get(athlete_key(ATHLETE))
        assert item is not None
        return SealedTokens.from_fields(item.fields).open(cipher, ATHLETE)

    strava.answers = [doubted]
    formers = []
    for _ in range(2):
        pass_time(LIFETIME_S)
        access_token(tokens)
        formers.append(kept().former_refresh_token)

    assert formers == ["REFRESH-SECRET-0", None]


# --- races ---------------------------------------------------------------------------------------


def test_lease_of_a_crashed_worker_runs_out(
    tokens: Tokens, athletes: Athletes, strava: Strava, hands: list[float]
) -> None:
    hands[0] += LIFETIME_S
    started = hands[0]
    strava.while_busy.append(Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        access_token(tokens)
    strava.newest = 0  # as if the call had never reached Strava

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert LEASE_S <= hands[0] - started < LEASE_S + 3
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_waiting_ends_when_the_other_worker_never_finishes(
    tokens: Tokens, store: Store, cipher: Cipher, clock: Clock, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    waits: list[float] = []
    patient = Tokens(store, cipher, clock, strava.refresh, wait=waits.append)

    def second_worker() -> None:
        with pytest.raises(RetryLater, match="another worker is renewing the access of athlete 42"):
            access_token(patient)

    strava.while_busy.append(second_worker)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert LEASE_S < sum(waits) < 2 * LEASE_S
    assert strava.calls == 1


def test_loser_takes_the_winners_pair_when_its_refresh_is_refused(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    """The first worker is so slow that its lease runs out; the second is refused, the first then stores its pair."""
    pass_time(LIFETIME_S)

    def second_worker() -> None:
        pass_time(LEASE_S)
        with pytest.raises(TokenRefused):
            access_token(tokens)

    strava.while_busy.append(second_worker)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_refused_worker_reads_again_before_it_gives_up(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    calls = []

    def refused_after_another_won(athlete_id: int, refresh_token: str) -> TokenGrant:
        calls.append(refresh_token)
        strava.newest = 5
        athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
        raise TokenRefused("the refresh token is no longer valid")

    tokens._refresh = refused_after_another_won

    assert access_token(tokens) == "ACCESS-SECRET-5"
    assert (len(calls), status_of(athletes)) == (1, AthleteStatus.ACTIVE)


def test_pair_of_a_new_connection_wins_over_a_refresh_under_way(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)

    def connect_again() -> None:
        strava.newest = 50
        athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)

    strava.while_busy.append(connect_again)

    assert access_token(tokens) == "ACCESS-SECRET-50"
    assert strava.calls == 1


def test_refresh_under_way_does_not_undo_a_disconnection(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.while_busy.append(lambda: athletes.mark(ATHLETE, AthleteStatus.REVOKED))

    with pytest.raises(NotConnected):
        access_token(tokens)

    assert status_of(athletes) is AthleteStatus.REVOKED


def test_pair_is_stored_when_the_row_changed_otherwise_meanwhile(
    tokens: Tokens, athletes: Athletes, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.while_busy.append(lambda: tokens.reject(ATHLETE, "ACCESS-SECRET-0"))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_pair_is_stored_when_the_old_one_was_sealed_anew_meanwhile(
    tokens: Tokens, store: Store, cipher: Cipher, strava: Strava, pass_time: Callable[[float], None]
) -> None:
    """A rotation of keys replaces every ciphertext, and the pair in it stays the same."""
    pass_time(LIFETIME_S)

    def seal_anew() -> None:
        item = store.get(athlete_key(ATHLETE))
        assert item is not None
        sealed = SealedTokens.from_fields(item.fields)
        pair = sealed.open(cipher, ATHLETE)
        anew = SealedTokens.seal(sealer(cipher, ATHLETE), pair, 0)
        fields = {**item.fields, **replace(sealed, sealed=anew.sealed).to_fields()}
        store.put(item.key, fields, expected_version=item.version)

    strava.while_busy.append(seal_anew)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_one_refresh_serves_all_when_many_workers_want_a_token(
    athletes: Athletes, store: Store, cipher: Cipher, clock: Clock, strava: Strava, hands: list[float]
) -> None:
    hands[0] += LIFETIME_S
    workers = 8
    barrier = threading.Barrier(workers)
    stored = threading.Event()

    def work(_: int) -> str:
        tokens = Tokens(store, cipher, clock, strava.refresh, wait=lambda _: stored.wait(0.02) and None)
        barrier.wait()
        return access_token(tokens)

    with ThreadPoolExecutor(workers) as pool:
        for round_number in range(1, 6):
            assert set(pool.map(work, range(workers))) == {f"ACCESS-SECRET-{round_number}"}
            assert strava.calls == round_number
            hands[0] += LIFETIME_S
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_no_token_is_in_the_file_or_in_a_repr(
    tokens: Tokens, store: Store, path: Path, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    access_token(tokens)
    files = b"".join(found.read_bytes() for found in path.parent.iterdir() if found.is_file())

    assert b"SECRET" not in files
    assert "SECRET" not in f"{tokens!r} {vars(tokens)!r}"

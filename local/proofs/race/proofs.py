"""The races as proofs: how many rounds each has, and on which stores it runs."""

from __future__ import annotations

from local.proofs.proof import Effort
from local.proofs.race.copies import prove_copies
from local.proofs.race.lake import prove_lake
from local.proofs.race.month import LakeKind, prove_month
from local.proofs.race.quota import SHORT_DAY, WHOLE_DAY, prove_quota
from local.proofs.race.race_world import StoreKind
from local.proofs.race.tokens import prove_tokens
from local.proofs.race.writers import prove_writers
from local.proofs.verdict import Verdict


def tokens(effort: Effort) -> list[Verdict]:
    """300 rounds on each store."""
    rounds = effort.rounds(300, small=2)
    return [
        verdict
        for kind in StoreKind
        for verdict in prove_tokens(kind, rounds=rounds, seed=effort.seed, advance=effort.advance)
    ]


def quota(effort: Effort) -> list[Verdict]:
    """A day on each store."""
    day = SHORT_DAY if effort.is_small else WHOLE_DAY
    return [
        verdict
        for kind in StoreKind
        for verdict in prove_quota(kind, day=day, seed=effort.seed, advance=effort.advance)
    ]


def writers(effort: Effort) -> list[Verdict]:
    """300 rounds."""
    return prove_writers(rounds=effort.rounds(300, small=3), seed=effort.seed, advance=effort.advance)


def month(effort: Effort) -> list[Verdict]:
    """1,000 writes on each kind of lake."""
    writes = effort.rounds(1000, small=24)
    return [verdict for kind in LakeKind for verdict in prove_month(kind, writes=writes, advance=effort.advance)]


def lake(effort: Effort) -> list[Verdict]:
    """200 rounds on files."""
    return prove_lake(rounds=effort.rounds(200, small=4), seed=effort.seed, advance=effort.advance)


def copies(effort: Effort) -> list[Verdict]:
    """200 copies on each store."""
    rounds = effort.rounds(200, small=3)
    return [
        verdict
        for kind in StoreKind
        for verdict in prove_copies(kind, rounds=rounds, seed=effort.seed, advance=effort.advance)
    ]

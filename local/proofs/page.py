"""`docs/proofs.md`: what every proof found when it last ran in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.docs.markdown import table
from local.proofs import record
from local.proofs.proof import Proof
from local.proofs.record import Run
from local.proofs.verdict import Verdict

_HEAD = """# Proofs

Made by `make proofs`, which lists them; `make proofs NAME=tokens` runs one, `NAME=all` all, and writes here what was
found: each at its full size, with the commit that was tried and the day. A gate runs all in their smallest size.
"""


def render() -> str:
    """The page of all proofs that ran."""
    from local.proofs.registry import PROOFS  # imports what every proof needs

    return page(PROOFS, record.read())


def page(proofs: Sequence[Proof], runs: Mapping[str, Run]) -> str:
    """The page of `proofs`, with the last run of each that ever ran."""
    sections = [_section(proof, runs[proof.name]) for proof in proofs if proof.name in runs]
    return "\n".join([_HEAD, *sections])


def _section(proof: Proof, run: Run) -> str:
    found = table(("proof", "claim", "measured", "holds"), [_cells(verdict) for verdict in run.verdicts])
    return f"## {proof.name}\n\n{proof.shows}.\n\n{found}\n\n{run.conditions}\n"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    return verdict.proof, verdict.claim, verdict.figures, "yes" if verdict.holds else "**NO**"

"""`docs/proofs.md`: the result of every proof's last run in full size."""

from __future__ import annotations

from collections.abc import Mapping

from local.docs.markdown import paragraph, table
from local.proofs import record
from local.proofs.record import Run
from local.proofs.verdict import Verdict

_HEAD = """# Proofs

Made by `make proofs`, which lists them; `make proofs NAME=tokens` runs one, `NAME=all` all, and writes here what was
found: each at its full size, with the commit that was tried and the day. A gate runs all in their smallest size. The
last two sections are written by the targets they name.
"""

TARGETS: Mapping[str, str] = {
    "deploy_page": (
        "`make deploy-page`: the commands of docs/deploy.md in order, against moto's server and in a shell that has "
        "only what the page says; the first deployment has to end at the missing secret"
    ),
    "apply_moto": (
        "`make apply-moto`: an environment applied to moto's server from nothing, and the plans of what may be changed "
        "later"
    ),
}
"""What has a target of its own, and what it shows."""


def render() -> str:
    """The page of all proofs that ran."""
    from local.proofs.registry import PROOFS  # imports what every proof needs

    return page({**{proof.name: proof.shows for proof in PROOFS}, **TARGETS}, record.read())


def page(shows: Mapping[str, str], runs: Mapping[str, Run]) -> str:
    """The page: what each proof shows, with the last run of each that ever ran."""
    sections = [_section(name, shown, runs[name]) for name, shown in shows.items() if name in runs]
    return "\n".join([_HEAD, *sections])


def _section(name: str, shown: str, run: Run) -> str:
    found = table(("proof", "claim", "measured", "holds"), [_cells(verdict) for verdict in run.verdicts])
    return f"## {name}\n\n{paragraph(f'{shown}.')}\n\n{found}\n\n{run.conditions}\n"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    return verdict.proof, verdict.claim, verdict.figures, "yes" if verdict.holds else "**NO**"

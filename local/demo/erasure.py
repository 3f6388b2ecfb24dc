"""The demo's last step: the parent's data is erased, and an independent search looks for remains."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from include.state.erasures.ledger import Erasures, ErasureStage
from include.store.store import Store
from local.testbed.inspection import Inspection, Row

_STAYS = ("erasures", "certificates")
"""The tables that still name an erased athlete: the finished erasure for 30 days, and the link to its certificate."""


@dataclass(frozen=True, slots=True)
class ErasureFindings:
    """The certificate, and remaining data."""

    certificate: Mapping[str, Any]
    left: tuple[str, ...]
    seconds: float

    @property
    def hold(self) -> bool:
        """Whether no data remains, and the certificate has its time."""
        return not self.left and self.certificate.get("finished_at") is not None


def is_over(store: Store, clock: Any, athlete_id: int) -> bool:
    """Whether the athlete's erasure has been finished."""
    erasure = Erasures(store, clock).get(athlete_id)
    return erasure is not None and erasure.stage is ErasureStage.FINISHED


def examine(inspection: Inspection, athlete_id: int, seconds: float) -> ErasureFindings:
    """Read the certificate, and search every name in the lake and every row of the state for the athlete's id."""
    lake = inspection.lake()
    certificates = sorted(lake.glob(f"certificates/{athlete_id}-*.json"))
    certificate = json.loads(certificates[-1].read_bytes()) if certificates else {}
    number = re.compile(rf"(?<!\d){athlete_id}(?!\d)")
    paths = [path.relative_to(lake).as_posix() for path in lake.rglob("*") if path not in certificates]
    left = [f"lake: {path}" for path in sorted(paths) if number.search(path)]
    left += [f"state: {row.table} {row.partition}" for row in inspection.rows() if _names(row, athlete_id, number)]
    return ErasureFindings(certificate, tuple(left), seconds)


def _names(row: Row, athlete_id: int, number: re.Pattern[str]) -> bool:
    if row.table in _STAYS or (row.table == "events" and row.fields["object_id"] == athlete_id):
        return False  # Strava's own event about the end of the access arrives after the erasure.
    fields = {name: value for name, value in row.fields.items() if name != "tokens"}
    return any(number.search(part) for part in (row.partition, row.sort, json.dumps(fields)))


def show(console: Console, findings: ErasureFindings) -> None:
    """Print the removed records, and the verdict."""
    removed = ", ".join(
        f"{count:,} {kind.replace('_', ' ')}" for kind, count in findings.certificate.get("removed", {}).items()
    )
    console.print(f"\n[bold]Erased at the parent's request, in {findings.seconds:.1f} s[/bold]")
    console.print(f"{removed or 'nothing'}; the certificate stays", highlight=False)
    for left in findings.left:
        console.print(f"  ✗ still there: {left}", style="red", highlight=False, markup=False)
    if findings.hold:
        console.print("[green]✓ No data of the parent remains in the lake or in the state.[/green]")

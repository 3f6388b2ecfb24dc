"""`docs/run-walk.md`: a run dies at each of its points, and when everything is as it should be after it."""

from __future__ import annotations

from collections.abc import Sequence

from local.docs.markdown import table
from local.proofs.crash_walk.errand_walk import Struck, walk
from local.proofs.crash_walk.errands import ERRANDS, Errand
from local.testbed.world import WINDOW_S

_HEAD = """# Nothing is forgotten wherever a run dies

Made by `make docs`: every line comes from running `local/proofs/crash_walk`. The dispatcher, or a task of a run, is
killed before or after each write to the state store or the lake, each message, each start of a run and each call to
Strava. It gets nothing more done, and its run is deleted: none of its tasks is tried again or begun, and a message
that the dispatcher had deleted is gone. Then there is nothing but `strava_reconcile`, once in a window, with the runs
that it has started. It does not list the athletes' activities here: a list would find what the ledgers have
forgotten.

Within an hour the lake holds what Strava shows and nothing else, each named child has one copy, whoever is erased has
left no trace but the certificate, nothing is due any more and no message waits. The minutes say in which window that
was so; 0 where nothing was left to do. What reconcile itself does, and the runs that it sets off, are walked too.
A backfill is asked for with a form of Airflow's, which nobody but its run knows: where that dies before the row of the
history is written and is deleted, it is as if the operator had taken it back, and the walk demands that nothing has
begun (*not asked*). From that write on reconcile goes on with it.
A partition waits for the catalogue as a row from before the lake's write, whichever run dies before it is published.
`make proofs NAME=run_walk` strikes the points in other ways as well: with a second worker, a stall, a lost answer.
"""


def render() -> str:
    """The page; it walks every errand, which takes a while."""
    walked = [(errand, list(walk(errand))) for errand in ERRANDS]
    figures = [summary(errand, strikes) for errand, strikes in walked]
    figures.append(("all", str(sum(len(strikes) for _, strikes in walked)), "", ""))
    summaries = table(("what is asked of the system", "points", "minutes at most", "broken"), figures)
    return "\n".join([_HEAD, summaries, *(section(errand, strikes) for errand, strikes in walked)])


def summary(errand: Errand, strikes: Sequence[Struck]) -> tuple[str, ...]:
    """One errand's line of the summary."""
    broken = [struck.point for struck in strikes if struck.faults]
    longest_s = max(struck.windows for struck in strikes) * WINDOW_S
    return errand.name, str(len(strikes)), str(longest_s // 60), ", ".join(broken) or "none"


def section(errand: Errand, strikes: Sequence[Struck]) -> str:
    """One errand's part of the page."""
    points = table(("the process dies", "minutes"), [line(struck) for struck in strikes])
    return f"\n## {errand.name[0].upper()}{errand.name[1:]}\n\n{points}\n"


def line(struck: Struck) -> tuple[str, str]:
    """One point's line."""
    minutes = str(struck.windows * WINDOW_S // 60) if struck.is_said else "not asked"
    return struck.point, "; ".join(struck.faults) or minutes

"""`docs/security.md`: which requirements of OWASP's ASVS the web edge holds, and how that is shown."""

from __future__ import annotations

from local.docs.markdown import table
from local.proofs.guards.design import DESIGNS
from local.proofs.guards.gaps import GAPS, INAPPLICABLE
from local.proofs.guards.requirement import Requirement
from local.proofs.guards.requirements import CHAPTERS

_HEAD = """# Security of the web edge

Made from `local/proofs/guards/`. The web edge held against the
[Application Security Verification Standard](https://owasp.org/www-project-application-security-verification-standard/)
of OWASP, version 4.0.3, level 2: what each requirement asks, in our own words; what the system does for it, and where;
and the test that fails when just those lines are taken out. `make proofs NAME=guards` takes out one after the other in
a copy of the repository and asks each test; what it last found is in [proofs.md](proofs.md). Every requirement of level
2 is in one of the tables below.
"""

_DESIGNS = """## Held by how the system is built

These have no lines of ours that could be taken out: a library, the framework or another requirement holds them.
"""

_GAPS = """## Not held, or not wholly

Nothing here is shown by a test.
"""


def render() -> str:
    """The page."""
    chapters = [f"## {title}\n\n{_rows(requirements)}\n" for title, requirements in CHAPTERS]
    designs = table(("requirement", "asks", "held by"), [(one.number, one.asks, one.holds) for one in DESIGNS])
    gaps = table(("requirement", "asks", "how it stands"), [(_list(one.numbers), one.asks, one.stands) for one in GAPS])
    parts = table(("part", "why it asks for nothing here"), [(_list(one.parts), one.reason) for one in INAPPLICABLE])
    rest = (f"{_DESIGNS}\n{designs}\n", f"{_GAPS}\n{gaps}\n", f"## Does not apply\n\n{parts}\n")
    return "\n".join([_HEAD, *chapters, *rest])


def _rows(requirements: tuple[Requirement, ...]) -> str:
    return table(("requirement", "asks", "what is done", "where", "without that fails"), map(_cells, requirements))


def _cells(requirement: Requirement) -> tuple[str, ...]:
    places = dict.fromkeys(f"`{guard.path}`" for guard in requirement.guards)
    tests = dict.fromkeys(_link(guard.test) for guard in requirement.guards)
    return requirement.number, requirement.asks, requirement.does, ", ".join(places), ", ".join(tests)


def _list(numbers: tuple[str, ...]) -> str:
    return ", ".join(numbers)


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[`{name}`](../{path})"

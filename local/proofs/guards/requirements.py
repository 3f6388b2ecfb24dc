"""Every requirement of the page on security, in the standard's order."""

from __future__ import annotations

from local.proofs.guards import access, content, interface, limits, personal_data, secrecy, sessions
from local.proofs.guards.requirement import Guard, Requirement

CHAPTERS = (
    ("Authentication and sessions (2, 3)", sessions.REQUIREMENTS),
    ("Access control (4)", access.REQUIREMENTS),
    ("Validation and encoding (5)", content.REQUIREMENTS),
    ("Cryptography, errors and logs (6, 7)", secrecy.REQUIREMENTS),
    ("Data protection (8)", personal_data.REQUIREMENTS),
    ("Connections, limits and sizes (9, 11, 12)", limits.REQUIREMENTS),
    ("The webhook and the headers (13, 14)", interface.REQUIREMENTS),
)

REQUIREMENTS: tuple[Requirement, ...] = tuple(one for _, requirements in CHAPTERS for one in requirements)

GUARDS: tuple[Guard, ...] = tuple(guard for requirement in REQUIREMENTS for guard in requirement.guards)

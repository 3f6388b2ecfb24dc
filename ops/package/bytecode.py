"""Bytecode beside its sources: Lambda's folder is read-only, so each cold start would compile everything again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ops.package.archive import Contents
from ops.package.installing import LAMBDA

LAMBDA_ROOT = "/var/task"
"""The folder into which Lambda unpacks a function, for tracebacks."""


def is_possible() -> bool:
    """Whether this Python has Lambda's version: other bytecode is of no use there."""
    return LAMBDA.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def compiled(contents: Contents) -> Contents:
    """The files, and with them the bytecode of each module.

    The bytecode is never checked against its source, so it is the same whenever and wherever it is made.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for name, content in contents.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        subprocess.run(
            [
                *(sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
                *("-s", scratch, "-p", LAMBDA_ROOT, scratch),
            ],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        bytecode = {file.relative_to(root).as_posix(): file.read_bytes() for file in sorted(root.rglob("*.pyc"))}
    return {**contents, **bytecode}

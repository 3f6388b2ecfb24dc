"""One shell for a whole page: the next command has the variables that a command exports."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it and its programs printed."""

    status: int
    printed: str
    took_s: float


@dataclass(frozen=True, slots=True)
class PageShell:
    """A bash that runs one command after the other."""

    bash: subprocess.Popen[str]
    typed: Path
    """The file with the text that a person types while a command runs."""

    def run(self, command: str, typed: str = "") -> Ended:
        """Run the command, and wait for its end. Errors: `ChildProcessError` where it ended the shell itself."""
        assert self.bash.stdin is not None  # noqa: S101 - pipes were asked for
        assert self.bash.stdout is not None  # noqa: S101
        self.typed.write_text(typed)
        mark = secrets.token_hex(8)
        begun = time.monotonic()
        self.bash.stdin.write(f"{{\n{command}\n}} <'{self.typed}'\nprintf '\\n%s %s\\n' {mark} $?\n")
        self.bash.stdin.flush()
        printed: list[str] = []
        for line in self.bash.stdout:
            if line.startswith(mark):
                return Ended(int(line.split()[1]), "".join(printed).rstrip("\n"), time.monotonic() - begun)
            printed.append(line)
        raise ChildProcessError(f"The shell ended with: {command}")


@contextmanager
def page_shell(folder: Path, environ: Mapping[str, str], typed: Path) -> Iterator[PageShell]:
    """A shell in `folder` with exactly these variables; `typed` is a file of its own."""
    bash = subprocess.Popen(
        ["bash", "--noprofile", "--norc"],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield PageShell(bash, typed)
    finally:
        bash.kill()
        bash.communicate()

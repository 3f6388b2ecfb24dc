"""Builds the virtual environment: `python3 local/bootstrap.py [python]`.

Standard library only, and no syntax newer than Python 3.8: it has to run, and say clearly what is missing, under
whatever Python a machine has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
UV = "uv==0.12.3"
VERSIONS = ((3, 12), (3, 11))
"""Best first: 3.12 is what Amazon MWAA runs, 3.11 resolves to the same packages."""

PROBE = "import ensurepip, sqlite3, ssl, sys, venv; print(sys.version_info[0], sys.version_info[1])"


def main() -> None:
    """Build `.venv` with what requirements.lock pins; safe to repeat, a fitting one is brought up to date."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    python = find_python(os.environ.get("PATH", ""), wanted)
    if python is None:
        found = f"PYTHON={wanted} is not one" if wanted else "none on PATH works"
        sys.exit(
            f"Python 3.12 or 3.11 with its venv, ssl and sqlite3 modules is needed, and {found}. "
            "On Debian: apt install python3-venv; elsewhere: https://www.python.org/downloads."
        )
    if version_of(VENV / "bin" / "python") != version_of(python):
        print(f"Creating .venv with {python}")
        subprocess.run([str(python), "-m", "venv", "--clear", "--without-pip", str(VENV)], check=True)
    install()
    (VENV / ".ready").write_text(f"{python}\n")
    print("The environment is ready: .venv")


def find_python(path: str, wanted: str = "") -> Path | None:
    """The best Python on `path` that really runs: 3.12, else 3.11, else None; `wanted` is the only candidate if given.

    Version managers leave launchers such as `python3.12` that exist and fail, so each candidate is run.
    """
    if wanted:
        return Path(wanted) if version_of(Path(wanted)) in VERSIONS else None
    names = [*(f"python{major}.{minor}" for major, minor in VERSIONS), "python3", "python"]
    folders = [Path(folder) for folder in path.split(os.pathsep) if folder]
    second_best = None
    for candidate in (folder / name for name in names for folder in folders):
        version = version_of(candidate)
        if version == VERSIONS[0]:
            return candidate
        if version == VERSIONS[1] and second_best is None:
            second_best = candidate
    return second_best


def version_of(python: Path) -> tuple[int, int] | None:
    """Major and minor version of an interpreter that can build environments, None where it cannot be run."""
    try:
        answer = subprocess.run([str(python), "-c", PROBE], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split()
    return (int(words[0]), int(words[1])) if answer.returncode == 0 and len(words) == 2 else None


def install() -> None:
    """Install exactly what the lock says, with uv (seconds), or with pip (minutes) where uv cannot do it."""
    python = str(VENV / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    print("Installing the packages that requirements.lock pins", flush=True)
    try:
        subprocess.run([python, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*pip, UV], check=True)
        subprocess.run([str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--python", python, str(LOCK)], check=True)
    except (OSError, subprocess.CalledProcessError) as err:
        print(f"uv could not install them ({err}); trying pip, which takes some minutes", flush=True)
        subprocess.run([*pip, "--requirement", str(LOCK)], check=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"The environment could not be built: {error}")

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, flags=re.MULTILINE)


def help_text(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_target_with_words() -> None:
    listed = re.findall(r"^  make ([a-z-]+) +\S+", help_text("help"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(TARGETS)
    assert {"env", "demo", "up", "query", "test", "lock", "clean"} <= set(listed)


def test_help_is_the_default() -> None:
    assert help_text() == help_text("help")


def test_every_target_is_phony() -> None:
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)
    assert sorted(phony) == sorted(TARGETS)


def test_clean_keeps_state_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    lock = tmp_path / ".state" / "up" / "lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    clean = ["make", "clean"]
    held = subprocess.run(["flock", str(lock), *clean], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert held.returncode != 0
    assert ".state/up is in use" in held.stderr
    assert lock.exists()
    subprocess.run(clean, cwd=tmp_path, capture_output=True, check=True)
    assert not lock.exists()

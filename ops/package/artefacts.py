"""The contents of each artefact."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingsError
from ops.package import bytecode
from ops.package.archive import Artefact, Contents, write_file, write_tree, write_zip
from ops.package.bytecode import compiled
from ops.package.imports import reach
from ops.package.installing import LAMBDA, Target, install_into, name_of, requirements
from ops.repository import REPOSITORY

ROOTS = (REPOSITORY, REPOSITORY / "plugins")
LARGEST_ZIP_BYTES = 12 * 1024 * 1024
"""The largest zip of a function: Lambda downloads and unpacks it before the first answer."""

WEB_REQUIREMENTS = REPOSITORY / "webhook_api" / "requirements.txt"
_RUN_ON_MWAA = frozenset({".py", ".sql"})


@dataclass(frozen=True, slots=True)
class Function:
    """One function of Lambda: its artefact, the module with its handler, and the folders of files that it reads."""

    name: str
    module: str
    folders: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """The module's source."""
        return REPOSITORY / f"{self.module.replace('.', '/')}.py"


HTTP = Function("webhook_http.zip", "webhook_api.aws_lambda.http", ("webhook_api/static", "webhook_api/templates"))
DISPATCHER = Function("webhook_dispatcher.zip", "webhook_api.aws_lambda.dispatcher")
FUNCTIONS = (HTTP, DISPATCHER)


def build(folder: Path) -> list[Artefact]:
    """Build everything into a folder that is empty.

    Errors: `SettingsError` where packages cannot be installed or a zip is too large.
    """
    return [
        write_tree(folder, "dags", dags()),
        write_zip(folder, "plugins.zip", plugins()),
        write_file(folder, "requirements.txt", (REPOSITORY / "requirements.txt").read_bytes()),
        *(_small(write_zip(folder, one.name, function(one))) for one in FUNCTIONS),
    ]


def dags() -> Contents:
    """MWAA's dags folder: the DAGs, the domain as `include/`, and the constraints that requirements.txt names."""
    source = REPOSITORY / "dags"
    top = [*source.glob("*.py"), source / ".airflowignore", *source.glob("constraints-*.txt")]
    domain = (file for file in (REPOSITORY / "include").rglob("*") if file.suffix in _RUN_ON_MWAA)
    return {**_read(top, source), **_read(domain, REPOSITORY)}


def plugins() -> Contents:
    """MWAA's plugins folder: the package, and the list that keeps Airflow from running its modules one by one."""
    source = REPOSITORY / "plugins"
    return _read([source / ".airflowignore", *(source / "strava_airflow").rglob("*.py")], source)


def function(wanted: Function, target: Target | None = LAMBDA) -> Contents:
    """A function's files: its handler with its imports, the packages, the folders that it reads.

    `target` None means this Python. For Lambda the files include bytecode, if this Python can make it.
    Errors: `SettingsError` where packages cannot be installed.
    """
    reached = reach([wanted.file], ROOTS)
    folders = [file for name in wanted.folders for file in (REPOSITORY / name).rglob("*") if file.is_file()]
    with tempfile.TemporaryDirectory() as scratch:
        install_into(Path(scratch), packages(wanted), target)
        installed = _read((file for file in Path(scratch).rglob("*") if file.is_file()), Path(scratch))
    own = _read([*reached.modules, *folders], REPOSITORY)
    contents = {**{name: content for name, content in installed.items() if _is_run(name)}, **own}
    return compiled(contents) if target is LAMBDA and bytecode.is_possible() else contents


def packages(wanted: Function) -> list[str]:
    """The lines of webhook_api/requirements.txt whose packages the function imports."""
    imported = reach([wanted.file], ROOTS).packages
    return [line for line in requirements(WEB_REQUIREMENTS) if name_of(line).replace("-", "_") in imported]


def _read(files: Iterable[Path], root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def _is_run(name: str) -> bool:
    """Whether an installed file is needed at run time or is a licence; records of the installation always differ."""
    parts = name.split("/")
    if parts[0].endswith(".dist-info"):
        return parts[-1] == "METADATA" or any(part.upper().startswith(("LICEN", "COPYING", "NOTICE")) for part in parts)
    if parts[0] == "bin" or "tests" in parts[:-1]:
        return False
    return not parts[-1].startswith(".") and not name.endswith((".pyc", ".pyi"))


def _small(artefact: Artefact) -> Artefact:
    if artefact.size_bytes > LARGEST_ZIP_BYTES:
        largest = sorted(artefact.files, key=lambda name: -artefact.files[name])[:3]
        raise SettingsError(f"{artefact.name} has {artefact.size_bytes:,} bytes; its largest: {', '.join(largest)}")
    return artefact

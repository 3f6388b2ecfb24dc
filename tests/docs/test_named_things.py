"""What the pages name exists: paths, commands, settings, DAGs, modules and whatever else is written as code."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from include.lake import cookbook
from include.secret import SECRET_ID
from include.setting_values import EXAMPLES
from local.proofs.registry import PROOFS
from ops.secrets.__main__ import CHANGES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LISTED = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
LISTING = subprocess.run(LISTED, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
TRACKED = [path for path in LISTING if (ROOT / path).exists()]
FOLDERS = {str(parent) for path in TRACKED for parent in Path(path).parents}
TOP = {path.partition("/")[0] for path in TRACKED if "/" in path}
DAGS = {Path(path).stem for path in TRACKED if fnmatch(path, "dags/*.py")}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
MODULE = re.compile(r"(dags|include|local|ops|strava_airflow|webhook_api)(\.[a-z_]\w*)+", re.IGNORECASE)
IDENTIFIER = re.compile(r"[A-Za-z]\w*(\.\w+)*")

SUFFIXES = (".py", ".md", ".json", ".tf", ".sql", ".txt", ".toml", ".sh", ".lock", ".yml", ".yaml", ".ini", ".cfg")
MADE = (
    *("dist/", "dist/*", ".state/*", "dags/include/", "plugins.zip", "startup.sh", "uv.lock"),  # by our own commands
    *("secret.json", "terraform/environments/dev/*", "terraform/bootstrap/terraform.tfstate"),  # by the operator
    *("activity.json", "streams.json", "*/activity.json"),  # a recording that somebody brings
    *("certificates/*", "lake/certificates/"),  # in the lake
    "manifest.json",  # in a backup
)
"""Paths that the repository does not hold, since somebody or something makes them."""
ELSEWHERE = {
    *("TriggerDagRunOperator", "airflow.db"),  # Airflow
    *("BucketAlreadyOwnedByYou", "CREATE_FAILED", "AWS_PROFILE", "AWSPREVIOUS"),  # AWS
    *("BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED"),  # Parquet
    *("json.loads", "typing.Protocol"),  # Python
}
"""Names of others, which our code has no use for."""
NO_DAGS = {"strava_airflow", "strava_api", "strava_lake", "strava_settings", "strava_simulator"}
"""What is named as DAGs are: a package, the Connection, the asset, a variable of Terraform, the simulator."""


FENCE = re.compile(r"^```[a-z]*\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    """What stands between backticks, outside of fences."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))]


def code(text: str) -> list[str]:
    """What is written as code: each span, and each line of a fence without its comment."""
    fenced = [line.partition(" # ")[0] for body in FENCE.findall(text) for line in body.splitlines()]
    return [*spans(text), *fenced]


def words(text: str) -> set[str]:
    """The words of what is written as code; `<began at>` and the like count as one."""
    whole = (re.sub(r"<[^>]*>|…", "*", piece) for piece in code(text))
    return {word.strip("\"'(),;:") for piece in whole for word in piece.split()}


# --- paths -------------------------------------------------------------------------------------------


def missing_paths(text: str) -> list[str]:
    """The paths that are neither in the repository nor made by anybody."""
    named = {path for word in words(text) if is_path(word) for path in expanded(word)}
    return sorted(path for path in named if not exists(path) and not any(fnmatch(path, made) for made in MADE))


def is_path(word: str) -> bool:
    """Whether a word starts at one of our folders, or ends as a file or a folder does."""
    if re.search(r"://|=|^[/$-]", word):
        return False
    is_ours = "/" in word and word.partition("/")[0] in TOP
    return is_ours or word.endswith(SUFFIXES) or re.fullmatch(r"[\w./-]+/", word) is not None


def expanded(path: str) -> list[str]:
    """The paths that `a/{b,c}/` stands for."""
    before, brace, rest = path.partition("{")
    if not brace:
        return [path]
    choices, _, after = rest.partition("}")
    return [f"{before}{choice}{after}" for choice in choices.split(",")]


def exists(path: str) -> bool:
    """Whether a file or a folder is so called: from the top, or, for a bare name, anywhere."""
    name = path.rstrip("/")
    known = FOLDERS if path.endswith("/") else {*TRACKED, *FOLDERS}
    return any(fnmatch(each, name) or ("/" not in name and each.endswith(f"/{name}")) for each in known)


# --- commands ----------------------------------------------------------------------------------------


def missing_commands(text: str) -> list[str]:
    """The targets of `make`, and what they are given, that do not exist."""
    wrong = []
    for target, variable, value in commands(text):
        if target not in TARGETS:
            wrong.append(f"make {target}")
        elif variable and not re.search(rf"\b{variable}\b", MAKEFILE):
            wrong.append(f"make {target} {variable}=")
        elif variable == "NAME" and value not in {
            "all",
            "…",
            "<name>",
            *(proof.name for proof in PROOFS),
            *cookbook.names(),
        }:
            wrong.append(f"make {target} NAME={value}")
        elif variable == "ARGS" and target not in ("test", "docs"):
            wrong += [f"make {target} ARGS={word}" for word in value.split() if not is_argument(word, sources(target))]
    return wrong


def commands(text: str) -> Iterator[tuple[str, str, str]]:
    """Target, variable and value of what is given to `make`; a variable may follow its target later in the line."""
    lines = [[line.partition(" # ")[0]] for body in FENCE.findall(text) for line in body.splitlines()]
    for pieces in (*lines, *map(spans, FENCE.sub("", text).splitlines())):
        target = ""
        for piece in pieces:
            if found := re.match(r"make ([a-z-]+)", piece):
                target = found[1]
                yield target, "", ""
            if target and re.match(r"make |[A-Z]+=", piece):
                for name, value in re.findall(r'\b([A-Z_]+)=("[^"]*"|\S+)', piece):
                    yield target, name, value.strip('"')


def sources(target: str) -> str:
    """The text of the modules that a target runs."""
    ran = re.search(rf"^{target}:.*\n(?:\t.*\n)*?\t.*-m ([\w.]+)", MAKEFILE, re.MULTILINE)
    path = ran[1].replace(".", "/") if ran else "-"
    return "\n".join((ROOT / each).read_text() for each in TRACKED if each.startswith((f"{path}.py", f"{path}/")))


def is_argument(word: str, text: str) -> bool:
    """Whether an option occurs in the module, written out or as a parameter; values are anybody's."""
    option = re.fullmatch(r"--([a-z-]+)(=.*)?", word)
    return option is None or word in text or re.search(rf"\b{option[1].replace('-', '_')}\b", text) is not None


# --- names -------------------------------------------------------------------------------------------


def missing_modules(text: str) -> list[str]:
    """Dotted names below our packages that are neither modules nor defined in one."""
    return sorted(word for word in words(text) if MODULE.fullmatch(word) and not is_module(word))


def is_module(name: str) -> bool:
    """Whether it is a module, or something that one defines."""
    path = name.replace(".", "/").replace("strava_airflow", "plugins/strava_airflow")
    if f"{path}.py" in TRACKED or path in FOLDERS:
        return True
    parent, _, last = path.rpartition("/")
    files = [each for each in (f"{parent}.py", f"{parent}/__init__.py") if each in TRACKED]
    return any(re.search(rf"^(def |class )?{last}\b", (ROOT / each).read_text(), re.MULTILINE) for each in files)


def unknown_dags(text: str) -> list[str]:
    """What is named like a DAG and is none."""
    return sorted(set(re.findall(r"\bstrava_[a-z]+\b", "\n".join(code(text)))) - DAGS - NO_DAGS)


def unknown_settings(text: str) -> list[str]:
    """Variables that end as settings do, and are none."""
    endings = "|".join(sorted({name.rpartition("_")[2] for name in EXAMPLES}))
    named = set(re.findall(rf"\b[A-Z]+(?:_[A-Z]+)*_(?:{endings})\b", "\n".join(code(text))))
    return sorted(named - set(EXAMPLES) - set(CHANGES) - {SECRET_ID})


def unknown_identifiers(text: str) -> list[str]:
    """What is written as an identifier and occurs nowhere in the code: a name of before, or one misspelt."""
    named = {word for span in spans(text) for word in span.split() if IDENTIFIER.fullmatch(word)}
    names = {name for name in named if re.search(r"_|\.|[a-z][A-Z]", name) and not name.endswith(SUFFIXES)}
    return sorted(name for name in names - ELSEWHERE if not set(name.split(".")) <= vocabulary())


@cache
def vocabulary() -> frozenset[str]:
    """Every word of the code, and of the contract suites; not of other tests and of pages."""
    code = [path for path in TRACKED if not path.startswith(("tests/", "docs/")) and not path.endswith(".md")]
    read = [ROOT / path for path in TRACKED if path in code or path.startswith("tests/contract/")]
    texts = (path.read_text(errors="ignore") for path in read if path.is_file())
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


CHECKS = (
    missing_paths,
    missing_commands,
    missing_modules,
    unknown_dags,
    unknown_settings,
    unknown_identifiers,
)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in DOCUMENTS])
def test_page_names_nothing_that_is_not_there(page, check) -> None:
    assert check(page.read_text()) == []


@pytest.mark.parametrize(
    ("check", "text", "wrong"),
    [
        pytest.param(missing_paths, "in `include/strava/clients.py`", ["include/strava/clients.py"], id="file"),
        pytest.param(missing_paths, "in `scripts/build.py`", ["scripts/build.py"], id="file-of-no-folder"),
        pytest.param(missing_paths, "`include/{queue,cipher}/`", ["include/cipher/"], id="one-of-several"),
        pytest.param(missing_paths, "`synchronise.py`", ["synchronise.py"], id="bare-name"),
        pytest.param(missing_paths, "```\ncat local/stak/up.py\n```", ["local/stak/up.py"], id="in-a-fence"),
        pytest.param(missing_commands, "`make tests`", ["make tests"], id="target"),
        pytest.param(missing_commands, "```\nmake querry # asks\n```", ["make querry"], id="target-in-a-fence"),
        pytest.param(missing_commands, "`make proofs NAME=tokans`", ["make proofs NAME=tokans"], id="proof"),
        pytest.param(
            missing_commands, '`make replay` with `ARGS="--dryrun"`', ["make replay ARGS=--dryrun"], id="option"
        ),
        pytest.param(missing_commands, "`make up COLOUR=red`", ["make up COLOUR="], id="variable"),
        pytest.param(missing_modules, "`python -m local.doks`", ["local.doks"], id="module"),
        pytest.param(missing_modules, "`include.settings.Setting`", ["include.settings.Setting"], id="class"),
        pytest.param(unknown_dags, "`strava_archive` runs", ["strava_archive"], id="dag"),
        pytest.param(unknown_settings, "set `LAKES_URL`", ["LAKES_URL"], id="setting"),
        pytest.param(unknown_identifiers, "`sync_activity`", ["sync_activity"], id="identifier"),
    ],
)
def test_check_finds_a_wrong_name(check, text, wrong) -> None:
    assert check(text) == wrong

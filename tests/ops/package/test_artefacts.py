"""Each artefact holds what its host needs, and its host has the rest."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from include.errors import SettingsError
from ops.package import artefacts, bytecode
from ops.package.artefacts import DISPATCHER, FUNCTIONS, HTTP, ROOTS, build, dags, function, packages, plugins
from ops.package.hosts import LAMBDA_RUNTIME, image_packages
from ops.package.imports import reach
from ops.package.installing import LAMBDA, name_of, requirements

ROOT = Path(__file__).parents[3]
ONLY_EMBEDDED = {"duckdb": "the catalogue of one machine; imported when CATALOG_URL names a DuckDB file"}
ONLY_ON_MWAA = {"msgspec": "reads streams, which only a task fetches"}


@pytest.fixture
def installed(monkeypatch):
    """Installs a few files instead of packages, and keeps what was asked for."""
    asked = []
    files = {
        "flask/app.py": "x = 1",
        "flask/app.pyi": "x: int",
        "flask/__pycache__/app.cpython-312.pyc": "",
        "flask-3.1.3.dist-info/METADATA": "Name: flask",
        "flask-3.1.3.dist-info/RECORD": "changes each time",
        "flask-3.1.3.dist-info/INSTALLER": "uv",
        "flask-3.1.3.dist-info/licenses/LICENSE.txt": "BSD",
        "bin/flask": "#!/tmp/of/the/build/python",
        "flask/tests/test_app.py": "",
        ".lock": "",
    }

    def install_into(folder, wanted, target):
        asked.append((wanted, target))
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    monkeypatch.setattr(artefacts, "install_into", install_into)
    monkeypatch.setattr(bytecode, "is_possible", lambda: False)
    return asked


def distributions(imported):
    """The packages that offer these names, in this environment."""
    offered = importlib.metadata.packages_distributions()
    return {name: {name_of(one) for one in offered.get(name, [name])} for name in imported}


def needs_of_mwaa():
    return reach([*(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").rglob("*.py")], ROOTS).packages


def test_mwaa_has_every_package_that_dags_plugins_and_domain_import():
    there = {*image_packages(), *map(name_of, requirements(ROOT / "requirements.txt"))}

    lacking = {name for name, offering in distributions(needs_of_mwaa()).items() if not offering & there}

    assert lacking == set(ONLY_EMBEDDED)


def test_mwaa_installs_nothing_that_is_not_imported():
    added = set(map(name_of, requirements(ROOT / "requirements.txt")))

    assert added <= set().union(*distributions(needs_of_mwaa()).values())
    assert not added & set(image_packages())


def test_image_of_mwaa_agrees_with_the_versions_of_the_project():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["mwaa"]
    image = image_packages()

    ours = {name_of(line): line.partition("==")[2] for line in group if name_of(line) in image}
    assert ours.items() <= image.items()
    assert "apache-airflow" in ours


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_lambda_has_every_package_that_a_function_imports(one):
    brought = {name_of(line) for line in packages(one)}
    brings_along = {"werkzeug": "flask", "markupsafe": "flask", "urllib3": "requests", "botocore": "boto3"}

    imported = reach([one.file], ROOTS).packages
    offering = {brings_along.get(name, name_of(name)) for name in imported}

    assert offering - brought - set(LAMBDA_RUNTIME) == set(ONLY_ON_MWAA) & offering


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_function_imports_nothing_heavy_when_it_is_loaded(one):
    assert not {"pyarrow", "duckdb", "boto3", "msgspec"} & set(
        reach([one.file], ROOTS, within_functions=False).packages
    )


def test_web_function_brings_every_requirement_and_the_dispatcher_only_what_it_imports():
    every = requirements(ROOT / "webhook_api" / "requirements.txt")

    assert packages(HTTP) == every
    assert {name_of(line) for line in packages(DISPATCHER)} == {"requests", "tenacity"}


def test_function_holds_its_modules_packages_and_folders_but_no_traces_of_the_build(installed):
    names = set(function(HTTP))

    assert {
        "webhook_api/aws_lambda/http.py",
        "webhook_api/static/style.css",
        "webhook_api/templates/base.html",
    } <= names
    assert {"include/store/dynamodb.py", "flask/app.py"} <= names
    assert {"flask-3.1.3.dist-info/METADATA", "flask-3.1.3.dist-info/licenses/LICENSE.txt"} <= names
    assert not {name for name in names if re.search(r"pycache|\.pyc$|\.pyi$|RECORD|INSTALLER|tests/|^bin/|^\.", name)}
    assert not {name for name in names if name.startswith(("include/lake/", "include/pipeline/", "tests/", "local/"))}
    assert installed == [(packages(HTTP), LAMBDA)]


def test_dispatcher_holds_no_pages(installed):
    names = set(function(DISPATCHER))

    assert "webhook_api/aws_lambda/dispatcher.py" in names
    assert not {name for name in names if "templates" in name or name == "webhook_api/app.py"}


def test_dags_folder_holds_dags_domain_queries_and_what_airflow_shall_not_parse():
    contents = dags()

    assert {path.name for path in (ROOT / "dags").glob("*.py")} <= set(contents)
    assert {"include/errors.py", "include/lake/queries/habits.sql", "constraints-3.3.1.txt"} <= set(contents)
    assert "include/" in contents[".airflowignore"].decode().splitlines()
    assert {Path(name).suffix for name in contents} == {".py", ".sql", ".txt", ""}


def test_plugins_hold_one_package_and_the_list_that_keeps_airflow_from_running_it():
    contents = plugins()

    assert {name.partition("/")[0] for name in contents} == {".airflowignore", "strava_airflow"}
    assert contents[".airflowignore"].decode().split() == ["strava_airflow"]


def test_no_name_is_in_dags_and_plugins_at_once():
    tops = [{Path(name).parts[0].removesuffix(".py") for name in held() if name[0] != "."} for held in (dags, plugins)]

    assert not tops[0] & tops[1]


def test_constraints_that_requirements_name_are_where_mwaa_looks():
    first = (ROOT / "requirements.txt").read_text().splitlines()[0]

    assert first.removeprefix("--constraint /usr/local/airflow/dags/") in dags()


def test_build_makes_what_terraform_asks_for(installed, tmp_path):
    asked = re.search(r"for file in \[(.*?)\]", (ROOT / "terraform/modules/system/main.tf").read_text())
    assert asked is not None

    built = build(tmp_path)

    assert [one.name for one in built] == ["dags/", "plugins.zip", "requirements.txt", HTTP.name, DISPATCHER.name]
    assert all((tmp_path / name).is_file() for name in re.findall(r'"(.+?)"', asked.group(1)))


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_handlers_are_those_that_terraform_names(one):
    named = re.findall(r'handler\s+= "(.+)"', (ROOT / "terraform/modules/webhook_api/main.tf").read_text())

    assert f"{one.module}.handler" in named
    assert (LAMBDA.python, LAMBDA.platform.partition("-")[0]) == ("3.12", "aarch64")


def test_zip_that_is_too_large_names_its_largest_files(installed, tmp_path, monkeypatch):
    monkeypatch.setattr(artefacts, "LARGEST_ZIP_BYTES", 1000)

    with pytest.raises(SettingsError, match=r"webhook_http\.zip has [\d,]+ bytes; its largest: \w"):
        build(tmp_path)


def test_two_builds_are_equal(installed, tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    assert build(folders[0]) == build(folders[1])


def test_webhooks_requirements_are_pinned():
    every = requirements(ROOT / "webhook_api" / "requirements.txt")

    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in every), every

"""`make package`: a build takes the former one's place, or leaves it as it was."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from include.errors import SettingsError
from ops.package import __main__ as package
from ops.package.archive import write_file


@pytest.fixture
def building(monkeypatch):
    """What each build writes, to be changed; a build that writes nothing fails."""
    texts = {"requirements.txt": b"a==1\n"}

    def build(folder):
        if not texts:
            raise SettingsError("the package index is out of reach")
        return [write_file(folder, name, content) for name, content in texts.items()]

    monkeypatch.setattr(package, "build", build)
    return texts


def run(dist, *arguments):
    return CliRunner().invoke(package.app, ["--dist", str(dist), *arguments])


def test_build_is_listed_and_leaves_a_manifest(building, tmp_path):
    result = run(tmp_path / "dist")

    assert result.exit_code == 0, result.output
    (one,) = json.loads((tmp_path / "dist" / "manifest.json").read_text())["artefacts"]
    assert one["name"] == "requirements.txt"
    assert one["files"] == {"requirements.txt": 5}
    assert one["sha256"] in result.stdout


def test_build_replaces_the_former_one_whole(building, tmp_path):
    run(tmp_path / "dist")
    building.clear()
    building["plugins.zip"] = b"zip"

    run(tmp_path / "dist")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["dist", "manifest.json", "plugins.zip"]


def test_build_that_fails_leaves_the_former_one(building, tmp_path):
    run(tmp_path / "dist")
    building.clear()

    result = run(tmp_path / "dist")

    assert result.exit_code == 1
    assert "out of reach" in result.stdout
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["dist", "manifest.json", "requirements.txt"]


def test_folder_that_holds_something_else_is_not_replaced(building, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    result = run(tmp_path)

    assert result.exit_code == 1
    assert "choose another folder" in result.stdout
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_second_build_that_differs_is_named(building, tmp_path):
    first = package.build(tmp_path)
    building["requirements.txt"] = b"a==2\n"

    with pytest.raises(SettingsError, match=r"A second build differs: requirements\.txt"):
        package.build_again(first, tmp_path)


def test_second_build_that_is_equal_passes(building, tmp_path):
    assert package.build_again(package.build(tmp_path), tmp_path) == "the same bytes"

"""What a file needs, read from its imports."""

from __future__ import annotations

import pytest

from ops.package.imports import reach


@pytest.fixture
def tree(tmp_path):
    """Writes sources below a root and gives the root."""

    def write(**sources):
        for name, source in sources.items():
            file = tmp_path / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
        for folder in {file.parent for file in tmp_path.rglob("*.py")} - {tmp_path}:
            (folder / "__init__.py").touch()
        return tmp_path

    return write


def names(root, **options):
    reached = reach([root / "start.py"], [root], **options)
    return {file.relative_to(root).as_posix() for file in reached.modules}, set(reached.packages)


def test_modules_are_followed_to_the_end_with_their_packages(tree):
    root = tree(start="import a.b", a__b="from a import c", a__c="import requests", a__unused="import flask")

    assert names(root) == ({"start.py", "a/__init__.py", "a/b.py", "a/c.py"}, {"requests"})


def test_modules_that_import_each_other_end(tree):
    root = tree(start="import other", other="import start")

    assert names(root) == ({"start.py", "other.py"}, set())


@pytest.mark.parametrize(
    ("source", "packages"),
    [
        pytest.param("", set(), id="nothing"),
        pytest.param("import os.path, json", set(), id="standard library"),
        pytest.param("import boto3.session as s, flask", {"boto3", "flask"}, id="two in one line"),
        pytest.param("from werkzeug.exceptions import Gone", {"werkzeug"}, id="from"),
        pytest.param("try:\n    import duckdb\nexcept ImportError:\n    pass", {"duckdb"}, id="in a try"),
        pytest.param("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import polars", set(), id="for types"),
        pytest.param("if TYPE_CHECKING:\n    import polars\nelse:\n    import duckdb", {"duckdb"}, id="else of types"),
        pytest.param("from . import sibling", set(), id="relative"),
    ],
)
def test_packages_are_what_comes_from_elsewhere(tree, source, packages):
    assert names(tree(start=source))[1] == packages


@pytest.mark.parametrize("header", ["def f():", "async def f():", "class C:\n  def f(self):"])
def test_import_within_a_function_counts_only_where_functions_are_called(tree, header):
    root = tree(start=f"{header}\n    import pyarrow")

    assert names(root)[1] == {"pyarrow"}
    assert names(root, within_functions=False)[1] == set()


def test_import_in_the_body_of_a_class_counts_always(tree):
    assert names(tree(start="class C:\n    import pyarrow"), within_functions=False)[1] == {"pyarrow"}


def test_packages_say_who_imports_them(tree):
    root = tree(start="import a, flask", a="import flask")

    assert reach([root / "start.py"], [root]).packages == {"flask": {root / "start.py", root / "a.py"}}

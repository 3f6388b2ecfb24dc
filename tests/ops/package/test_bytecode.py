"""Bytecode beside its sources."""

from __future__ import annotations

import marshal
import sys

import pytest

from ops.package import artefacts, bytecode
from ops.package.artefacts import DISPATCHER, function
from ops.package.bytecode import compiled

SOURCES = {"one.py": b"def f():\n    return {'a', 'b'}\n", "package/two.py": b"x = 1\n", "static/style.css": b"a {}"}
TAG = sys.implementation.cache_tag


def test_each_module_has_its_bytecode_and_every_file_stays():
    contents = compiled(SOURCES)

    assert set(contents) - set(SOURCES) == {f"__pycache__/one.{TAG}.pyc", f"package/__pycache__/two.{TAG}.pyc"}
    assert {name: contents[name] for name in SOURCES} == SOURCES


def test_bytecode_is_the_same_each_time_never_compared_with_its_source_and_names_lambdas_folder():
    one, again = (compiled(SOURCES)[f"__pycache__/one.{TAG}.pyc"] for _ in range(2))

    assert one == again
    assert one[4:8] == (1).to_bytes(4, "little"), "by hash, unchecked"
    assert marshal.loads(one[16:]).co_filename == "/var/task/one.py"  # noqa: S302 - bytes of our own


@pytest.mark.parametrize(("is_possible", "expected"), [(True, True), (False, False)], ids=["Lambda's", "another"])
def test_function_holds_bytecode_only_of_lambdas_python(monkeypatch, is_possible, expected):
    monkeypatch.setattr(artefacts, "install_into", lambda folder, wanted, target: None)
    monkeypatch.setattr(bytecode, "is_possible", lambda: is_possible)

    assert any(name.endswith(".pyc") for name in function(DISPATCHER)) is expected
    assert not any(name.endswith(".pyc") for name in function(DISPATCHER, target=None))

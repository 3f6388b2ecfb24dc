"""What counts as a broken line, and that breaking it breaks nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from local.proofs.mutants.mutation import mutants


def broken(source):
    return [mutant.applied(source) for mutant in mutants("a.py", source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a = b < c\n", ["a = b <= c\n"], id="bound"),
        pytest.param("a = (b) == (c)\n", ["a = (b) != (c)\n"], id="brackets stay"),
        pytest.param("a = b is None\n", ["a = b is not None\n"], id="identity"),
        pytest.param("a = b and c\n", ["a = b or c\n"], id="and"),
        pytest.param("a = not b\n", ["a = b\n"], id="not"),
        pytest.param("a = b + c\n", ["a = b - c\n"], id="sum"),
        pytest.param("a = True\n", ["a = False\n"], id="truth"),
        pytest.param("a = 7\n", ["a = 8\n"], id="number"),
        pytest.param("if a:\n    b = c\n", ["if (not (a)):\n    b = c\n"], id="condition"),
        pytest.param("def a():\n    return b\n", ["def a():\n    return None\n"], id="result"),
        pytest.param("def a():\n    return False\n", ["def a():\n    return True\n"], id="None is as good as False"),
        pytest.param("a.b()\n", ["pass\n"], id="effect"),
        pytest.param("raise a\n", ["pass\n"], id="error"),
        pytest.param("for a in b:\n    continue\n", ["for a in b:\n    break\n"], id="loop"),
        pytest.param("x = a(b=c)\n", ["x = a(b=None)\n"], id="argument"),
        pytest.param("s = 'ü' if a else b\n", ["s = 'ü' if (not (a)) else b\n"], id="bytes are counted"),
    ],
)
def test_line_is_broken_in_one_way(source, expected):
    assert broken(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""Says 7."""\n', id="docstring"),
        pytest.param("import a\n", id="import"),
        pytest.param("log.info('%s', 7)\n", id="log line"),
        pytest.param("def a(b: int | None): ...\n", id="annotation"),
        pytest.param("@dataclass(frozen=True)\nclass A: ...\n", id="decorator"),
        pytest.param("if TYPE_CHECKING:\n    a = 7\n", id="for the type checker"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_no_test_should_notice_is_left_alone(source):
    assert broken(source) == []


def test_every_mutant_of_a_real_source_is_another_program():
    source = Path(ast.__file__).read_text()
    found = mutants("ast.py", source)

    assert len(found) > 500
    for mutant in found[::25]:
        changed = mutant.applied(source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
        assert len(changed.splitlines()) <= len(source.splitlines())


def test_mutant_says_where_it_is_and_what_it_changes():
    [mutant] = mutants("a.py", "\ny = b < c\n")

    assert str(mutant) == "a.py:2  b < c  →  b <= c"

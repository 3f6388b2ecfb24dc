"""XML text by the column."""

from __future__ import annotations

from datetime import datetime

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from include.copying.markup import elements, escaped, interleaved, timestamps


@given(text=st.text())
def test_escaped_text_is_read_back_on_one_line(text: str) -> None:
    read = fromstring(f"<a>{escaped(text)}</a>").text or ""
    assert read.split() == escaped_words(text)
    assert read == " ".join(read.split())


def escaped_words(text: str) -> list[str]:
    """The words of `text` less the characters that XML 1.0 excludes."""
    allowed = (c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")
    return "".join(allowed).split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a<b> & ]]>", "a&lt;b&gt; &amp; ]]&gt;", id="markup"),
        pytest.param("a\x00\x1b[31mb\ufffe\ud83d", "a[31mb", id="characters that XML excludes"),
        pytest.param(" a\r\n\tb ", "a b", id="line breaks"),
        pytest.param("🐶", "🐶", id="emoji"),
    ],
)
def test_escaped_text_holds_no_markup_and_no_control_characters(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(epoch_s=st.lists(st.integers(0, 4_102_444_800)))
def test_timestamps_are_the_times_in_utc(epoch_s: list[int]) -> None:
    texts = timestamps(epoch_s)
    assert [int(datetime.fromisoformat(text).timestamp()) for text in texts] == epoch_s
    assert all(text.endswith("Z") and len(text) == 20 for text in texts)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([None, None], ["", ""], id="only gaps"),
        pytest.param([7, 0, None], ["<e>7</e>", "<e>0</e>", ""], id="whole numbers and a gap"),
        pytest.param([1.5, -0.25], ["<e>1.500</e>", "<e>-0.250</e>"], id="fractions"),
        pytest.param([1e-9, None, 12345678.9], ["<e>0.000</e>", "", "<e>12345678.900</e>"], id="no exponent"),
    ],
)
def test_elements_hold_one_value_each(values: list[int | float | None], expected: list[str]) -> None:
    assert list(elements("<e>", values, "</e>")) == expected


def test_interleaved_columns_read_row_by_row() -> None:
    assert "".join(interleaved("<", iter(["1", "2"]), "/", ["a", ""], ">")) == "<1/a><2/>"

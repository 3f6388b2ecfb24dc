"""The cookbook's files say what they answer, take their parameters safely, and mean the same everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import parse_one, transpile

from include.errors import BadQuery
from include.lake import cookbook
from include.lake.catalog.views import view_definitions
from include.lake.query import query
from include.strava.stream_types import BY_KEY
from local.docs.lake.example_lake import ATHLETE_ID

ROOT = Path(__file__).parents[4]
ATHLETE = {"athlete_id": str(ATHLETE_ID)}
NAMES = [pytest.param(name, id=name) for name in cookbook.names()]
ARROW_TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}

SMALL = """-- What is said?
--
-- It is said back,
-- unchanged.
--
-- parameter word varchar = hello: the word
-- column word varchar: it

SELECT ? /* word */ AS word
"""


def for_athena(entry: cookbook.CookbookQuery, given: dict[str, str]) -> str:
    """The statement as Athena runs it, with the values that `EXECUTE … USING` takes in their places."""
    values = iter(entry.execution_parameters(given))
    return re.sub(r"\? /\* \w+ \*/", lambda _: next(values), entry.text.partition("\n\n")[2])


@pytest.mark.parametrize("name", NAMES)
def test_empty_lake_answers_no_rows_in_the_header_s_columns(tmp_path: Path, name: str) -> None:
    entry = cookbook.load(name)

    answer = query(entry.for_duckdb(ATHLETE), (tmp_path / "lake").as_uri())

    assert answer.num_rows == 0
    assert [(column.name, column.type) for column in answer.schema] == [
        (column.name, ARROW_TYPES[column.kind]) for column in entry.columns
    ]


@pytest.mark.parametrize("name", NAMES)
def test_filled_lake_answers_in_the_header_s_columns(sample: Any, name: str) -> None:
    answer = sample.ask(name)

    assert [(column.name, column.type) for column in answer.schema] == [
        (column.name, ARROW_TYPES[column.kind]) for column in cookbook.load(name).columns
    ]


SENSORS = {"heartrate_bpm": "heartrate", "watts": "watts", "cadence_rpm": "cadence", "temp_c": "temp"}


@pytest.mark.parametrize("name", NAMES)
def test_sensor_is_read_only_within_the_table_s_plausible_range(name: str) -> None:
    body = cookbook.load(name).body
    for column, stream in SENSORS.items():
        bounds = BY_KEY[stream].plausible
        told = re.findall(rf"\b{column} BETWEEN (\S+) AND (\S+)", body)
        assert {(float(low), float(high)) for low, high in told} <= {(bounds.low, bounds.high)}
        assert told or not re.search(rf"\bs\.{column}\b", body), f"{column} is read unchecked"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns"])
@pytest.mark.parametrize("name", NAMES)
def test_answer_does_not_depend_on_the_session_s_time_zone(sample: Any, name: str, zone: str) -> None:
    statement = cookbook.load(name).for_duckdb(ATHLETE)
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        for table, select in view_definitions(Path(sample.url.removeprefix("file://"))):
            connection.execute(f"CREATE VIEW {table} AS {select}")
        there = connection.execute(statement).to_arrow_table()

    assert there.equals(sample.ask(name))


def test_answer_does_not_depend_on_the_process_s_time_zone(sample: Any) -> None:
    script = (
        "import sys; from include.lake import cookbook; from include.lake.query import query\n"
        f"for name in {cookbook.names()}:\n"
        f"    print(query(cookbook.load(name).for_duckdb({ATHLETE}), sys.argv[1]).to_pylist())"
    )
    answered = subprocess.run(
        [sys.executable, "-c", script, sample.url],
        cwd=ROOT,
        env=os.environ | {"TZ": "Pacific/Auckland"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answered.stdout.splitlines() == [str(sample.ask(name).to_pylist()) for name in cookbook.names()]


@pytest.mark.parametrize("name", NAMES)
def test_file_is_athena_s_own_and_avoids_what_translates_silently_to_something_else(name: str) -> None:
    body = cookbook.load(name).body

    assert ";" not in body
    assert re.search(r"\b(unnest|format|try|date_add|reduce|approx_\w+)\s*\(", body, re.IGNORECASE) is None
    assert re.search(r"interval", body, re.IGNORECASE) is None


@pytest.mark.parametrize("name", NAMES)
def test_file_means_the_same_read_as_athena_s_and_as_trino_s_and_written_again(name: str) -> None:
    body = cookbook.load(name).body

    statement = parse_one(body, read="athena")

    assert parse_one(body, read="trino") == statement
    assert parse_one(statement.sql(dialect="athena"), read="athena") == statement


@pytest.mark.parametrize("name", NAMES)
def test_statement_for_athena_translates_to_the_one_for_duckdb(name: str) -> None:
    entry = cookbook.load(name)

    (translated,) = transpile(for_athena(entry, ATHLETE), read="athena", write="duckdb")

    assert translated == entry.for_duckdb(ATHLETE)


@pytest.mark.parametrize("name", NAMES)
def test_question_marks_and_values_are_as_many_for_a_prepared_statement(name: str) -> None:
    entry = cookbook.load(name)
    body = entry.body

    values = entry.execution_parameters(ATHLETE)

    assert values[0] == str(ATHLETE_ID)
    assert body.count("?") == len(values)
    assert "?" not in for_athena(entry, ATHLETE)


def test_values_are_athena_s_literals() -> None:
    entry = cookbook.load("route_heat_grid")

    values = entry.execution_parameters({"athlete_id": "-7", "sport_type": "O'Run", "since": "2024-02-29"})

    assert values == ("-7", "'O''Run'", "DATE '2024-02-29'", "DATE '9999-12-31'", "0.001")
    assert "LIKE 'O''Run'" in for_athena(entry, {"athlete_id": "-7", "sport_type": "O'Run"})


@settings(max_examples=60, deadline=None)
@given(word=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30))
def test_text_arrives_as_it_was_given(word: str) -> None:
    statement = cookbook.parse("small", SMALL).for_duckdb({"word": word})

    assert duckdb.sql(statement).fetchall() == [(word,)]


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("' OR 1 = 1 --", id="quote"),
        pytest.param("'; DROP VIEW activities; --", id="statement"),
        pytest.param("\\' OR true --", id="backslash"),
        pytest.param("*/ ? /* athlete_id */", id="comment"),
        pytest.param(":athlete_id", id="placeholder"),
    ],
)
def test_hostile_text_is_only_text(sample: Any, word: str) -> None:
    assert duckdb.sql(cookbook.parse("small", SMALL).for_duckdb({"word": word})).fetchall() == [(word,)]
    assert sample.ask("weekly_volume", sport_type=word).num_rows == 0


@pytest.mark.parametrize("between", ["", "\n\n"])
def test_statement_begins_after_the_header_with_or_without_a_blank_line(between: str) -> None:
    entry = cookbook.parse("small", SMALL.replace("\n\nSELECT", f"\n{between}SELECT"))

    assert duckdb.sql(entry.for_duckdb({})).fetchall() == [("hello",)]


def test_header_is_read_whole() -> None:
    entry = cookbook.parse("small", SMALL)

    assert (entry.question, entry.remarks) == ("What is said?", "It is said back, unchanged.")
    assert entry.parameters == (cookbook.Parameter("word", "varchar", "hello", "the word"),)
    assert entry.columns == (cookbook.Column("word", "varchar", "", "it"),)
    assert entry.values({}) == {"word": "hello"}
    assert cookbook.load("climbing").columns[3].unit == "m/km"


LACKS = "small: the header lacks"


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        pytest.param(lambda text: text.replace("-- parameter", "-- parametre"), LACKS, id="misspelt"),
        pytest.param(lambda text: text.replace("varchar = hello: the", "varchar the"), LACKS, id="malformed"),
        pytest.param(lambda text: text.replace("-- column word varchar: it\n", ""), LACKS, id="no-columns"),
        pytest.param(lambda text: text[text.index("-- parameter") :], LACKS, id="no-question"),
        pytest.param(lambda text: text.replace("/* word */", "/* words */"), "words", id="other-name"),
        pytest.param(lambda text: text.replace(" AS word", " || ? AS word"), "small", id="nameless"),
        pytest.param(lambda text: text.replace(" AS word", " || ? /* word */ AS word"), "word", id="twice"),
        pytest.param(lambda text: text.replace("parameter word varchar", "parameter word json"), "json", id="no-type"),
        pytest.param(lambda text: text.replace("word varchar = hello", "word date = hello"), "hello", id="default"),
        pytest.param(lambda _: "", LACKS, id="empty"),
        pytest.param(lambda _: "SELECT 1", LACKS, id="headless"),
    ],
)
def test_file_whose_header_and_statement_differ_is_refused(broken: Callable[[str], str], names: str) -> None:
    with pytest.raises(BadQuery, match=names):
        cookbook.parse("small", broken(SMALL))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param({}, "needs athlete_id", id="missing"),
        pytest.param({"athlete_id": "x"}, "athlete_id is 'x', which is not a bigint", id="text"),
        pytest.param({"athlete_id": "1.5"}, "not a bigint", id="fraction"),
        pytest.param({"athlete_id": str(2**63)}, "not a bigint", id="too-large"),
        pytest.param({"athlete_id": ""}, "not a bigint", id="nothing"),
        pytest.param(ATHLETE | {"since": "2024-13-01"}, "write for example since=2024-05-31", id="no-date"),
        pytest.param(ATHLETE | {"cell_deg": "nan"}, "not a double", id="nan"),
        pytest.param(ATHLETE | {"cell_deg": "1e999"}, "not a double", id="infinity"),
        pytest.param(ATHLETE | {"sport": "Run"}, "no parameter 'sport'; it has athlete_id, sport_type", id="unknown"),
    ],
)
def test_wrong_parameter_is_refused_with_what_would_do(values: dict[str, str], says: str) -> None:
    with pytest.raises(BadQuery, match=re.escape(says)):
        cookbook.load("route_heat_grid").for_duckdb(values)


def test_values_are_typed_and_in_the_header_s_order() -> None:
    values = cookbook.load("route_heat_grid").values({"cell_deg": "1", "athlete_id": str(2**53 + 1)})

    assert list(values) == ["athlete_id", "sport_type", "since", "until", "cell_deg"]
    assert values["athlete_id"] == 2**53 + 1
    assert (values["since"], type(values["cell_deg"])) == (date(1970, 1, 1), float)


@pytest.mark.parametrize("name", ["xyz", "", "../cookbook"])
def test_unknown_query_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(BadQuery, match="there are best_efforts_by_distance"):
        cookbook.load(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        pytest.param("weekly_volum", "weekly_volume", id="letter-missing"),
        pytest.param("weekly-volume", "weekly_volume", id="dash"),
        pytest.param("climbing.sql", "climbing", id="file"),
        pytest.param("heart_rate_zones", "heartrate_zones", id="other-words"),
    ],
)
def test_misspelt_query_is_refused_with_the_nearest_name(name: str, meant: str) -> None:
    with pytest.raises(BadQuery, match=rf"did you mean {meant}\?$"):
        cookbook.load(name)

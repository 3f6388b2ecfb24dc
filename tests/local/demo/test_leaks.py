"""A secret in any file of the system is found, whatever kind of file it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from local.demo.leaks import search

TOKEN = "f00dfeedf00dfeedf00dfeed"


def test_clean_directory_has_no_leak_and_says_how_much_was_searched(tmp_path):
    (tmp_path / "a.log").write_text("nothing here")
    found = search(tmp_path, [TOKEN])
    assert (found.secrets, found.files, found.outside, found.leaks) == (1, 1, 0, ())


def test_token_that_is_kept_in_no_file_is_found(tmp_path):
    kept = {"a row": b"nothing here", "a message": f'{{"token": "{TOKEN}"}}'.encode()}
    found = search(tmp_path, [TOKEN], kept)
    assert (found.outside, found.leaks) == (2, ("a message: 1 of them",))


def test_token_in_a_log_is_found(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "x.log").write_text(f"GET /?token={TOKEN}\n")
    assert search(tmp_path, [TOKEN]).leaks == ("logs/x.log: 1 of them",)


def test_token_in_a_database_is_found_even_before_its_checkpoint(tmp_path):
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE xcom (value TEXT)")
        database.execute("INSERT INTO xcom VALUES (?)", (f'{{"token": "{TOKEN}"}}',))
        database.commit()
        assert any(leak.startswith("airflow.db") for leak in search(tmp_path, [TOKEN]).leaks)


def test_keepers_of_secrets_are_left_out(tmp_path):
    (tmp_path / "secrets.json").write_text(TOKEN)
    (tmp_path / "simulator").write_text(TOKEN)
    assert search(tmp_path, [TOKEN]).leaks == ()

"""Equal contents become equal bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.package.archive import write_file, write_tree, write_zip

CONTENTS = {"b/two.py": b"2\n" * 500, "a.py": b"", "b/one.py": b"\x00\xff", ".airflowignore": b"x\n"}


def test_zip_is_the_same_whatever_the_order_and_the_umask(tmp_path):
    first = write_zip(tmp_path, "one.zip", CONTENTS)
    before = os.umask(0o077)
    try:
        second = write_zip(tmp_path, "two.zip", dict(reversed(CONTENTS.items())))
    finally:
        os.umask(before)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert first.sha256 == second.sha256 == hashlib.sha256((tmp_path / "one.zip").read_bytes()).hexdigest()


def test_zip_holds_readable_files_in_order_without_a_time(tmp_path):
    artefact = write_zip(tmp_path, "one.zip", CONTENTS)

    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert [entry.filename for entry in archive.infolist()] == sorted(CONTENTS)
        assert {name: archive.read(name) for name in archive.namelist()} == CONTENTS
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    assert artefact.size_bytes == (tmp_path / "one.zip").stat().st_size
    assert artefact.files == {name: len(content) for name, content in CONTENTS.items()}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.py", fullmatch=True), st.binary(), max_size=5))
def test_zip_gives_back_what_was_put_in(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("zip")
    write_zip(folder, "one.zip", contents)

    with zipfile.ZipFile(folder / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({**CONTENTS, "a.py": b"1"}, id="content"),
        pytest.param(
            {**{name: CONTENTS[name] for name in list(CONTENTS)[1:]}, "c.py": CONTENTS["b/two.py"]}, id="name"
        ),
        pytest.param({**CONTENTS, "more.py": b""}, id="one more"),
    ],
)
def test_sum_of_a_folder_changes_with_what_is_in_it(tmp_path, changed):
    assert write_tree(tmp_path, "one", CONTENTS).sha256 != write_tree(tmp_path, "two", changed).sha256


def test_sum_of_a_folder_is_that_of_sha256sum(tmp_path):
    artefact = write_tree(tmp_path, "tree", CONTENTS)

    sums = subprocess.run(
        ["sha256sum", *sorted(CONTENTS)], cwd=tmp_path / "tree", check=True, capture_output=True
    ).stdout
    assert artefact.sha256 == hashlib.sha256(sums).hexdigest()
    assert (artefact.name, artefact.size_bytes) == ("tree/", sum(len(content) for content in CONTENTS.values()))


def test_file_is_kept_as_it_is(tmp_path):
    artefact = write_file(tmp_path, "requirements.txt", b"a==1\n")

    assert (tmp_path / "requirements.txt").read_bytes() == b"a==1\n"
    assert (artefact.name, artefact.size_bytes, artefact.files) == ("requirements.txt", 5, {"requirements.txt": 5})

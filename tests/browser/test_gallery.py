"""The page of pictures, which needs no browser to be read."""

from __future__ import annotations

from local.docs.pictures.camera import VIEWS, file_name
from local.docs.pictures.gallery import FOLDER, PAGE, render
from local.docs.pictures.scenes import SCENES


def test_page_shows_every_scene() -> None:
    assert PAGE.read_text() == render(), "run `make pictures`"


def test_there_is_a_picture_of_every_scene_in_every_view_and_no_other() -> None:
    wanted = {file_name(scene, view) for scene in SCENES for view in VIEWS}

    assert {path.name for path in FOLDER.iterdir()} == wanted


def test_pictures_are_small_enough_to_be_kept() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000

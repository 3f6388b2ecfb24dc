"""Whatever is written for the web is reached by somebody, and a test asks for it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from flask import Blueprint

from include.setting_values import EXAMPLES
from include.settings import Settings
from webhook_api.app import create_app

WEB = Path(create_app.__code__.co_filename).parent
TESTS = (Path(__file__).parent, Path(__file__).parents[1] / "integration")


@pytest.fixture(scope="module")
def app():
    return create_app(Settings.from_environ(EXAMPLES))


def test_every_blueprint_is_registered(app) -> None:
    paths = [path.relative_to(WEB.parent).with_suffix("") for path in WEB.rglob("[!_]*.py")]
    modules = [importlib.import_module(".".join(path.parts)) for path in paths]
    written = {value for module in modules for value in vars(module).values() if isinstance(value, Blueprint)}

    left_out = {blueprint.import_name for blueprint in written - set(app.blueprints.values())}
    assert left_out == set(), "register the blueprints of these modules in webhook_api/app.py"


def test_every_template_is_named_by_a_view_or_a_template() -> None:
    files = list((WEB / "templates").rglob("*.html"))
    texts = "".join(path.read_text() for path in [*files, *WEB.rglob("*.py")])

    unused = {name for name in (str(path.relative_to(WEB / "templates")) for path in files) if f'"{name}"' not in texts}
    assert unused == set(), "render or include these, or delete them"


def test_every_route_is_asked_for_by_a_test(app) -> None:
    texts = "".join(path.read_text() for root in TESTS for path in root.rglob("test_*.py") if path != Path(__file__))
    rules = {rule.rule: re.split(r"<[^>]+>", rule.rule) for rule in app.url_map.iter_rules()}

    untested = {rule for rule, parts in rules.items() if not any(re.search(way, texts) for way in ways_to_write(parts))}
    assert untested == set(), "test these in tests/webhook_api/pages"


def ways_to_write(parts: list[str]) -> list[str]:
    """How a test writes the rule: whole, or what comes after a value that it holds already."""
    whole = r"[^\s\"']+".join(map(re.escape, parts))
    return [whole, r"\}" + re.escape(parts[-1]) + r"\b"] if parts[-1] else [whole]


def test_every_form_that_changes_something_carries_the_token_of_its_session() -> None:
    for template in (WEB / "templates").rglob("*.html"):
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL):
            assert "csrf()" in form, f"{template.name}: write {{{{ csrf() }}}} in the form"

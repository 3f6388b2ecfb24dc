"""At 320 px, with text of twice the size and long words, nothing sticks out; forced colours still show buttons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from include.setting_values import EXAMPLES
from include.settings import Settings
from webhook_api.app import create_app

STYLE = Path(create_app.__code__.co_filename).parent / "static" / "style.css"
LONG = "W" * 120
EVERYTHING = f"""<!doctype html><meta name="viewport" content="width=device-width"><main><h1>{LONG}</h1><p>{LONG}</p>
<p><time>9 October 2026, 08:53 UTC</time> <a class="strava" href="#">View on Strava</a></p>
<article class="item"><h3>{LONG}</h3><div class="actions"><button class="small">{LONG}</button>
<a class="button small" href="#">Names and options</a></div></article>
<form><fieldset><legend>{LONG}</legend><label><input type="checkbox"> <span>{LONG}</span></label>
<div class="columns"><label><input type="checkbox"> <span>{LONG}</span></label></div></fieldset>
<div class="field"><label>{LONG}</label><input value="{LONG}"></div><button>{LONG}</button></form>
<div class="notice"><p>{LONG}</p></div>
<p class="outcome"><span>{LONG}</span> <a class="strava" href="#">View on Strava</a></p>
<ul class="list"><li><p>{LONG}</p></li></ul>
<dl><dt>{LONG}</dt><dd>{LONG}</dd></dl><details open><summary>{LONG}</summary></details>
<table><tr><th>{LONG}</th><td>{LONG}</td></tr></table></main>"""


def page_of(path: str) -> str:
    client = create_app(Settings.from_environ(EXAMPLES)).test_client()
    return re.sub(r'<link rel="stylesheet"[^>]*>', "", client.get(path).text)


@pytest.mark.parametrize("forced_colors", ["none", "active"])
@pytest.mark.parametrize("path", ["/", "/nowhere", "/privacy", "/callback?state=x&code=y", ""])
def test_nothing_sticks_out_with_text_of_twice_the_size(chromium: Browser, path: str, forced_colors: str) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 800}, forced_colors=forced_colors)  # type: ignore[arg-type]  # a literal of two
    page = context.new_page()
    page.set_content(page_of(path) if path else EVERYTHING)
    page.add_style_tag(content=STYLE.read_text() + "html { font-size: 200% }")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if forced_colors == "active":
        bare = (
            "[...document.querySelectorAll('button, .button')].filter(e => getComputedStyle(e).borderTopWidth == '0px')"
        )
        assert page.evaluate(f"{bare}.length") == 0
    context.close()

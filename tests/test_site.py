"""The documentation as a site: it builds, no link in it is broken, and a browser loads nothing from anywhere else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import ROOT

ZENSICAL = Path(sys.executable).parent / "zensical"
LOADS = dict.fromkeys(("script", "img", "iframe", "source", "video", "audio", "embed"), "src") | {"object": "data"}
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
# Parts of the theme's script that fetch a program from elsewhere begin where a page has one of these.
FETCHING = {"mermaid", "glightbox", "pyodide", "md-source"}


class Loaded(HTMLParser):
    """What a browser loads for a page, and the classes of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.classes |= set(has.get("class", "").split())
        if tag == "link" and LOADING_LINKS & set(has.get("rel", "").split()):
            self.addresses.append(has.get("href", ""))
        elif tag in LOADS:
            self.addresses += [has[LOADS[tag]]] if LOADS[tag] in has else []
            self.addresses += [one.split()[0] for one in has.get("srcset", "").split(",") if one.strip()]
        self.addresses += in_style(has.get("style", ""))


def in_style(text: str) -> list[str]:
    return re.findall(r"url\(\s*[\"']?([^\"')]+)", text) + re.findall(r"@import\s+[\"']([^\"']+)", text)


def elsewhere(addresses: list[str]) -> list[str]:
    return [one for one in addresses if re.match(r"\s*(?:https?:|//)", one)]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ZENSICAL, "build", "--strict"], cwd=folder, capture_output=True, text=True)


def checkout(folder: Path) -> Path:
    """What the site is built from, in a folder of its own."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copytree(ROOT / "ragqa", folder / "ragqa", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", folder)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("built"))
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_every_page_is_built(site: Path):
    pages = {page.relative_to(ROOT / "docs").with_suffix("") for page in (ROOT / "docs").rglob("*.md")}
    assert pages == {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")} - {Path("404")}


def test_every_page_is_in_the_menu_or_is_a_decision():
    def named(menu: object) -> Iterator[str]:
        if isinstance(menu, str):
            yield menu
        else:
            for one in menu.values() if isinstance(menu, dict) else menu:  # type: ignore[attr-defined]
                yield from named(one)

    menu = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not page.startswith("decisions/0")} == set(named(menu))


@pytest.mark.parametrize("link", ["[gone](nowhere.md)", "[gone](commands.md#nowhere)"])
def test_a_broken_link_fails_the_build(link: str, tmp_path: Path):
    folder = checkout(tmp_path / "broken")
    (folder / "docs" / "index.md").write_text(f"# Home\n\n{link}\n")
    assert build(folder).returncode != 0


def test_a_browser_loads_nothing_from_another_host(site: Path):
    loaded = Loaded()
    for page in site.rglob("*.html"):
        text = page.read_text()
        loaded.feed(text)
        loaded.addresses += in_style(" ".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL)))
    for sheet in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        loaded.addresses += in_style(sheet.read_text())
    assert len(loaded.addresses) > 2 * len(list(site.rglob("*.html")))  # sheets and scripts of its own
    assert not elsewhere(loaded.addresses)
    assert not loaded.classes & FETCHING


def test_the_docstrings_of_what_one_imports_are_there(site: Path):
    page = (site / "python.html").read_text()
    for name in (
        "document.Passage",
        "answer.answer_question",
        "store.VectorStore",
        "embed.Embedder",
        "retrieve.retrieve",
    ):
        assert f'id="ragqa.{name}"' in page
    assert "Answer from the documents, or say that they do not" in page

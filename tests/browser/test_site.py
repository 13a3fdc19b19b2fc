"""The documentation's site: built without a warning, its pages opened from the disk in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import errors, requests
from projects import ROOT

MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
PAGES = ("index", "quickstart", "gallery", "surfaces", "api/interface")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MKDOCS.exists():
        pytest.skip("there is no .venv-docs: make docs")
    folder = tmp_path_factory.mktemp("site")
    name = "hirshprint"
    prefix = tmp_path_factory.mktemp("kernels")
    command = [sys.executable, "-m", "ipykernel", "install", "--prefix", str(prefix), "--name", name]
    subprocess.run(command, check=True, capture_output=True)
    environment = os.environ | {"JUPYTER_PATH": str(prefix / "share/jupyter"), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [MKDOCS, "build", "--strict", "--site-dir", folder / "site"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "site"


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_no_error_and_ask_no_network(browser: Any, site: Path, page: str) -> None:
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get((site / f"{page}.html").as_uri())
    loaded = browser.execute_script("return [...document.images].map(x => x.complete && x.naturalWidth > 0)")
    assert all(loaded)
    assert errors(browser) == []
    assert requests(browser) == []


def test_each_reader_finds_the_way_in_one_click(browser: Any, site: Path) -> None:
    browser.get((site / "index.html").as_uri())
    first = browser.find_element("tag name", "table")
    rows = first.find_elements("css selector", "tbody tr")
    links = [row.find_element("css selector", "a").get_attribute("href") for row in rows]
    assert [Path(link).name for link in links] == [
        "quickstart.html",
        "quickstart.html#learning-with-scikit-learn",
        "cluster.html",
    ]
    for link in links:
        browser.get(link)
        assert browser.find_element("tag name", "h1").text


def test_pictures_of_the_notebooks_are_there(browser: Any, site: Path) -> None:
    for page, least in (("quickstart", 4), ("gallery", 7)):
        browser.get((site / f"{page}.html").as_uri())
        assert len(browser.find_elements("css selector", ".jp-OutputArea img")) >= least

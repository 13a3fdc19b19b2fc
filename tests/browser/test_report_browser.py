"""The report in a real browser: layout, sorting, search, linked plots, 3-D, downloads, print, dark mode; no request."""

from __future__ import annotations

import base64
import json
import re
import runpy
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from browsing import errors, requests
from PIL import Image
from projects import Project

from hirshprint.report.page.write import write_report

MADE_UP = Path(__file__).parents[1] / "unit" / "test_report.py"
pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made_up: dict[str, Any] = runpy.run_path(str(MADE_UP))
    folder = tmp_path_factory.mktemp("report")
    inputs = [made_up["synthetic_run"](folder / name, name=name) for name in ("oqmd", "experimental")]
    write_report(inputs, made_up["RUN"], folder / "report.html", made_up["CAPTIONS"])
    return folder / "report.html"


def opened(browser: Any, report: Path, width: int = 1280) -> None:
    """Open the report in a page of this width (device metrics: a window has a least width)."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(report.as_uri())


def explored(browser: Any, report: Path, width: int = 1280) -> Any:
    """Open the report and scroll to the explorer of its first dataset; return that, with its plots drawn."""
    opened(browser, report, width)
    section = browser.find_element("id", "d1")
    browser.execute_script("document.getElementById('d1-explore').scrollIntoView()")
    wait(browser, lambda: section.get_attribute("data-ready") == "true")
    wait(browser, lambda: part(section, "surface").get_attribute("data-drawn"))
    return section


def wait(browser: Any, condition: Callable[[], Any]) -> None:
    WebDriverWait(browser, 60, poll_frequency=0.05).until(lambda _: condition())


def part(section: Any, name: str) -> Any:
    return section.find_element("css selector", f"[data-part={name}]")


def of(browser: Any, node: Any, expression: str) -> Any:
    """Value of a property of a node, such as what Plotly drew in it."""
    return browser.execute_script(f"return arguments[0].{expression}", node)


def downloaded(folder: Path) -> list[Path]:
    """Downloads in a folder that are complete."""
    return [path for path in folder.iterdir() if path.suffix in (".svg", ".png", ".csv")]


def data_of(section: Any) -> dict[str, Any]:
    text = section.find_element("css selector", "script[type='application/json']").get_attribute("textContent")
    data: dict[str, Any] = json.loads(text)
    return data


def place_of(browser: Any, section: Any, compound: str) -> tuple[float, float]:
    """Where the parity plot draws a compound, in pixels of the view."""
    script = """
    const [plot, name] = arguments, at = plot.data[0].text.indexOf(name);
    const box = plot.querySelectorAll(".scatterlayer .point")[at].getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
    """
    found: tuple[float, float] = browser.execute_script(script, part(section, "parity"), compound)
    return found


def click(browser: Any, x: float, y: float) -> None:
    """Move the mouse to a place of the view and click."""
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
    for kind in ("mousePressed", "mouseReleased"):
        event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def test_no_error_no_request_and_every_section_is_visible(browser: Any, report: Path) -> None:
    explored(browser, report)
    parts = (
        "accuracy",
        "explore",
        "compounds",
        "worst",
        "figures-accuracy",
        "figures-fingerprints",
        "rejected",
        "glance",
    )
    for name in [f"{d}-{part}" for d in ("d1", "d2") for part in parts] + ["overview", "run", "method"]:
        assert browser.find_element("id", name).is_displayed(), name
    loaded = browser.execute_script("return [...document.images].map(x => x.complete && x.naturalWidth > 0)")
    assert loaded == [True] * 12
    assert errors(browser) == []
    assert requests(browser) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_wider_than_the_page(browser: Any, report: Path, width: int) -> None:
    explored(browser, report, width)
    for details in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", details)
    root = "document.documentElement"
    seen = browser.execute_script(f"return [innerWidth, {root}.scrollWidth - {root}.clientWidth]")
    assert seen == [width, 0]


def test_table_1_needs_no_sideways_scrolling_on_a_desk(browser: Any, report: Path) -> None:
    opened(browser, report, 1440)
    table = browser.find_element("css selector", "table.fits")
    assert "published, on other data" in table.text
    for cell in table.find_elements("css selector", "td:nth-child(3)")[:4]:  # the longest that this column may hold
        browser.execute_script("arguments[0].textContent = 'mean of 8, 12 in training, known to it'", cell)
    name = table.find_element("css selector", "tbody th")
    browser.execute_script("arguments[0].innerHTML = 'gradient_<wbr>boosting_<wbr>fingerprint'", name)
    assert browser.execute_script("return arguments[0].parentElement.scrollWidth", table) == of(
        browser, table, "parentElement.clientWidth"
    )


def test_print_view_paginates_and_fits_the_page(browser: Any, report: Path, tmp_path: Path) -> None:
    explored(browser, report, 718)  # A4 with Chromium's margins, 190 mm at 96 pixels per inch
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    widths = browser.execute_script("return [...document.querySelectorAll('table')].map(x => x.scrollWidth)")
    hidden = browser.execute_script("return [...document.querySelectorAll('.downloads, nav')].map(x => x.offsetHeight)")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert widths
    assert max(widths) <= 718
    assert set(hidden) == {0}
    pdf = base64.b64decode(
        browser.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"]
    )
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 6 <= pages <= 60


def test_columns_sort_both_ways_and_leave_the_published_rows(browser: Any, report: Path) -> None:
    opened(browser, report)
    table = browser.find_element("css selector", "table.sortable")
    button = table.find_elements("css selector", "thead button")[4]
    assert button.text.startswith("MAE")

    def values() -> list[float]:
        cells = table.find_elements("css selector", "tbody:not(.fixed) td[data-value]:nth-child(5)")
        return [float(x.get_attribute("data-value")) for x in cells]

    published = table.find_element("css selector", "tbody.fixed").text
    header = table.find_elements("css selector", "thead th")[4]
    button.click()
    assert values() == sorted(values())
    assert header.get_attribute("aria-sort") == "ascending"
    button.click()
    assert values() == sorted(values(), reverse=True)
    assert header.get_attribute("aria-sort") == "descending"
    assert table.find_element("css selector", "tbody.fixed").text == published


def test_page_of_a_real_run_draws_its_plots_and_answers_a_click(browser: Any, finished: Project) -> None:
    section = explored(browser, finished.folder / "results/report.html")
    names = data_of(section)["compounds"]
    assert len(names) == 12
    assert len(data_of(section)["mesh_order"]) == 12
    true, drawn = (of(browser, part(section, "parity"), f"data[0].{x}") for x in ("x", "text"))
    ends = [drawn[true.index(end)] for end in (min(true), max(true))]  # no other point lies over these
    other = next(x for x in ends if x != part(section, "compound").text)
    click(browser, *place_of(browser, section, other))
    wait(browser, lambda: part(section, "compound").text == other)
    wait(browser, lambda: part(section, "surface").get_attribute("data-drawn") == other)
    assert errors(browser) == []


def test_table_of_compounds_sorts_filters_and_turns_pages(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    names = data_of(section)["compounds"]

    def column(k: int) -> list[str]:
        script = "return [...arguments[0].rows].map(x => x.cells[arguments[1]].textContent)"
        found: list[str] = browser.execute_script(script, part(section, "rows"), k)
        return found

    assert part(section, "count").text == "1–25 of 40"
    part(section, "next").click()
    assert part(section, "count").text == "26–40 of 40"
    assert not part(section, "next").is_enabled()
    heads = part(section, "heads").find_elements("css selector", "button")
    heads[1].click()
    assert part(section, "count").text == "1–25 of 40"
    shown = [float(x) for x in column(1)]
    assert shown == sorted(shown)
    heads[1].click()
    assert float(column(1)[0]) > shown[-1]
    search = part(section, "search")
    for words in ("Sr Ti", "SrTiO3", "TiSrO3", "O3 Ti Sr", "sr ti", "srtio3", "Sr, Ti-O", "SrTiO₃", "Sr-Ti"):
        search.clear()
        search.send_keys(words)
        assert column(0) == ["SrTiO3"], words
    for words in ("batio", "TiO3Ba"):
        search.clear()
        search.send_keys(words)
        assert column(0) == ["BaTiO3"], words
    search.clear()
    search.send_keys("Ti-O")
    assert sorted(column(0)) == sorted(x for x in names if "Ti" in x)
    search.clear()
    search.send_keys("Sr2TiO4")
    assert part(section, "count").text == "no compound fits"
    search.clear()
    search.send_keys("alert")  # of a name that is no formula
    assert len(column(0)) == 1
    search.clear()
    search.send_keys("S")  # sulphur, which no compound has
    assert part(section, "count").text == "no compound fits"
    search.clear()
    search.send_keys("Ba")
    assert sorted(column(0)) == sorted(x for x in names if x.startswith("Ba"))
    plot = part(section, "parity")
    wait(browser, lambda: len(of(browser, plot, "data[0].selectedpoints ?? []")) == 12)
    search.clear()
    part(section, "shows").find_elements("css selector", "option")[1].click()
    heads[2].click()
    sizes = [abs(float(x.replace("−", "-"))) for x in column(2)]
    assert sizes == sorted(sizes, reverse=True)


def test_click_on_a_point_shows_that_compound(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    data = data_of(section)
    compound = next(x for x in data["compounds"] if x != part(section, "compound").text and x.isalnum())
    x, y = place_of(browser, section, compound)
    click(browser, x, y)
    wait(browser, lambda: part(section, "compound").text == compound)
    rows = part(section, "predictions").find_elements("css selector", "tr")
    assert [x.text.split()[0] for x in rows] == data["models"]
    assert len(part(section, "neighbours").find_elements("css selector", "button")) == 6
    ring = part(section, "ring")
    assert ring.text == compound
    box = of(browser, ring, "getBoundingClientRect()")
    assert (box["x"], box["y"]) == pytest.approx((x, y), abs=1)
    drawn = of(browser, part(section, "fingerprint"), "data[0].z.flat().filter(x => x !== null).length")
    assert drawn > 20


def test_compounds_without_a_surface_get_the_command_that_draws_it(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    data = data_of(section)
    assert data["mesh_order"]
    assert not part(section, "command").is_displayed()
    names = data["compounds"]
    without = next(x for i, x in enumerate(names) if i not in data["mesh_order"] and x.isalnum())
    part(section, "search").send_keys(without)
    part(section, "rows").find_element("css selector", "button").click()
    wait(browser, lambda: part(section, "command").is_displayed())
    assert part(section, "command").text == f"hirshprint surface {without} --edge 4.5 --out surfaces"
    assert not part(section, "surface").is_displayed()


def test_surface_is_drawn_turned_and_coloured(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    plot = part(section, "surface")
    vertices, triangles, shown = (of(browser, plot, f"data[0].{x}") for x in ("x.length", "i.length", "intensity"))
    assert triangles == 2 * vertices - 4  # closed: the seams of the 48 wedges are gone
    picture = Image.open(BytesIO(plot.screenshot_as_png)).convert("RGB")
    assert len(picture.resize((80, 80)).getcolors(6400)) > 300  # a shaded surface, not an empty box
    before = of(browser, plot, "_fullLayout.scene.camera.eye.x")
    plot.send_keys(Keys.ARROW_LEFT)
    wait(browser, lambda: of(browser, plot, "_fullLayout.scene.camera.eye.x") != before)
    part(section, "colours").find_element("css selector", "label").click()
    wait(browser, lambda: of(browser, plot, "data[0].intensity") != shown)
    part(section, "sites").find_elements("css selector", "label")[2].click()
    assert "O, 3 of the cell" in part(section, "site-text").text
    assert errors(browser) == []


AREAS = """
return arguments[0].data.map(({ name, x, y, z, i, j, k }) => {
  const side = (a, b) => [x[b] - x[a], y[b] - y[a], z[b] - z[a]];
  const area = n => {
    const [p, q, r] = side(i[n], j[n]), [u, v, w] = side(i[n], k[n]);
    return Math.hypot(q * w - r * v, r * u - p * w, p * v - q * u) / 2;
  };
  return [name, i.reduce((sum, _, n) => sum + area(n), 0)];
});
"""


def rows_of(section: Any) -> list[list[str]]:
    """Cells of the table of contacts, with the site of each row."""
    found = []
    for body in part(section, "contacts").find_elements("tag name", "tbody"):
        site = body.find_element("tag name", "th").text
        rows = body.find_elements("tag name", "tr")
        found += [[site, *(cell.text for cell in row.find_elements("tag name", "td"))] for row in rows]
    return found


def test_contacts_of_the_compound_are_in_a_table_and_on_its_surface(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    assert rows_of(section) == [
        ["A (Sr)", "X (O)", "12", "3.182", "42.60", "100.0 %"],
        ["B (Ti)", "X (O)", "6", "2.250", "31.46", "98.0 %"],
        ["B (Ti)", "A (Sr)", "8", "3.897", "0.64", "2.0 %"],
        ["X (O)", "B (Ti)", "2", "2.250", "11.88", "60.0 %"],
        ["X (O)", "A (Sr)", "4", "3.182", "4.95", "25.0 %"],
        ["X (O)", "X (O)", "8", "3.182", "2.97", "15.0 %"],
    ]
    plot = part(section, "surface")
    ((_, whole),) = browser.execute_script(AREAS, plot)
    section.find_element("css selector", "input[value=contact] + span").click()
    wait(browser, lambda: of(browser, plot, "data.length") == 2)
    (faces, at_faces), (corners, at_corners) = browser.execute_script(AREAS, plot)
    assert of(browser, plot, "data.map(x => x.uid)") == ["contact-0", "contact-1"]  # else colours of distances stay
    assert (faces, corners) == ("B (Ti), 3.00 Å", "X (O), 3.20 Å")
    assert at_faces + at_corners == pytest.approx(whole, rel=1e-3)  # nothing lost, nothing twice
    assert at_faces > at_corners > 0
    assert plot.find_element("css selector", ".legend").text.split("\n") == [faces, corners]
    section.find_element("css selector", "input[value=d_i] + span").click()
    wait(browser, lambda: of(browser, plot, "data.length") == 1)
    assert errors(browser) == []


def test_patches_of_a_real_surface_have_the_areas_of_its_contacts(browser: Any, finished: Project) -> None:
    section = explored(browser, finished.folder / "results/report.html")
    section.find_element("css selector", "input[value=contact] + span").click()
    plot = part(section, "surface")
    for site, button in enumerate(part(section, "sites").find_elements("css selector", "label")):
        button.click()
        wait(browser, lambda: of(browser, plot, "data[0].name ?? ''"))
        areas = dict(browser.execute_script(AREAS, plot))
        whole = sum(areas.values())
        own = [row for row in rows_of(section) if row[0] == button.text]
        assert own, site
        for _, met, atoms, distance, _, share in own:
            drawn = areas.get(f"{atoms} × {met}, {float(distance):.2f} Å", 0.0)
            assert 100 * drawn / whole == pytest.approx(float(share.rstrip(" %")), abs=1.0)


def test_arrow_keys_step_from_the_worst_and_the_model_can_be_changed(browser: Any, report: Path) -> None:
    section = explored(browser, report)
    part(section, "model").find_elements("css selector", "option")[2].click()
    plot = part(section, "parity")
    true, predicted, names = (of(browser, plot, f"data[0].{x}") for x in ("x", "y", "text"))
    errors_of = sorted(zip(true, predicted, names, strict=True), key=lambda x: -abs(x[1] - x[0]))
    worst = [name for *_, name in errors_of]
    browser.execute_script("arguments[0].focus()", plot)
    now = worst.index(part(section, "compound").text)
    browser.switch_to.active_element.send_keys(Keys.ARROW_LEFT * now)
    assert part(section, "compound").text == worst[0]
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT * 2)
    assert part(section, "compound").text == worst[2]
    for view in part(section, "view").find_elements("css selector", "option")[1:]:
        view.click()
    assert errors(browser) == []


def test_every_plot_can_be_downloaded_with_its_data(browser: Any, report: Path, tmp_path: Path) -> None:
    section = explored(browser, report)
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    bars = browser.find_elements("css selector", "#d1 .downloads")
    assert len(bars) == 5 + len(section.find_elements("css selector", "figure"))  # and the table
    buttons = [button for bar in bars for button in bar.find_elements("css selector", "button")]
    for number, button in enumerate(buttons, 1):
        browser.execute_script("arguments[0].click()", button)
        wait(browser, lambda number=number: len(downloaded(tmp_path)) == number)
    for path in downloaded(tmp_path):
        if path.suffix == ".png":
            assert min(Image.open(BytesIO(path.read_bytes())).size) > 300
        elif path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            assert len(pd.read_csv(path)) > 1
    whole = pd.read_csv(tmp_path / "oqmd-compounds.csv")
    assert len(whole) == 40
    assert {"true (Å)", "readout random", "readout random std"} <= set(whole)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(browser: Any, report: Path, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    opened(browser, report)
    ratios = browser.execute_script(CONTRAST)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert set(ratios) == {"text", "soft", "accent", "mark", "warn"}
    assert min(ratios.values()) >= 4.5, ratios  # WCAG 2.2, level AA


CONTRAST = """
const style = getComputedStyle(document.documentElement);
const channel = x => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
const luminance = name => {
  const hex = style.getPropertyValue(name).trim().slice(1);
  const [r, g, b] = [0, 2, 4].map(i => channel(parseInt(hex.slice(i, i + 2), 16)));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const both = name => Math.min(contrast(name, "--page"), contrast(name, "--card"));
return {
  text: both("--text"), soft: both("--soft"), accent: both("--accent"), mark: both("--mark"),
  warn: contrast("--warn", "--warn-back"),
};
"""

"""The report in a real browser: layout, sorting, the interactive plots, dark mode, no request, no error."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hirshprint.report import html

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
MADE_UP = Path(__file__).parents[1] / "unit" / "test_report.py"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="needs Debian's chromium and chromium-driver"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made_up: dict[str, Any] = runpy.run_path(str(MADE_UP))
    folder = tmp_path_factory.mktemp("report")
    inputs = [made_up["synthetic_run"](folder / name, name=name) for name in ("oqmd", "experimental")]
    html.write_report(inputs, made_up["RUN"], folder / "report.html", made_up["CAPTIONS"])
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    profile = tmp_path_factory.mktemp("profile")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=webdriver.ChromeService(str(DRIVER)), options=options)
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


def opened(browser: Any, report: Path, width: int = 1280) -> None:
    """Open the report in a page of this width (device metrics: a window has a least width)."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(report.as_uri())


def test_no_error_no_request_and_every_section_is_visible(browser: Any, report: Path) -> None:
    opened(browser, report)
    parts = ("accuracy", "predictions", "fingerprints", "worst", "rejected", "glance")
    for name in [f"{d}-{part}" for d in ("d1", "d2") for part in parts] + ["run", "method"]:
        assert browser.find_element("id", name).is_displayed(), name
    loaded = browser.execute_script("return [...document.images].map(x => x.complete && x.naturalWidth > 0)")
    assert loaded == [True] * 12
    assert browser.get_log("browser") == []
    events = [json.loads(x["message"])["message"] for x in browser.get_log("performance")]
    urls = [x["params"]["request"]["url"] for x in events if x["method"] == "Network.requestWillBeSent"]
    assert [x for x in urls if not x.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_wider_than_the_page(browser: Any, report: Path, width: int) -> None:
    opened(browser, report, width)
    for details in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", details)
    root = "document.documentElement"
    seen = browser.execute_script(f"return [innerWidth, {root}.scrollWidth - {root}.clientWidth]")
    assert seen == [width, 0]


def test_printed_tables_fit_a_page(browser: Any, report: Path) -> None:
    opened(browser, report, 718)  # A4 with Chromium's margins, 190 mm at 96 pixels per inch
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    widths = browser.execute_script("return [...document.querySelectorAll('table')].map(x => x.scrollWidth)")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert widths
    assert max(widths) <= 718


def test_columns_sort_both_ways_and_leave_the_published_rows(browser: Any, report: Path) -> None:
    opened(browser, report)
    table = browser.find_element("css selector", "table.sortable")
    button = table.find_elements("css selector", "thead button")[3]
    assert button.text.startswith("MAE")

    def values() -> list[float]:
        cells = table.find_elements("css selector", "tbody:not(.fixed) td[data-value]:nth-child(4)")
        return [float(x.get_attribute("data-value")) for x in cells]

    published = table.find_element("css selector", "tbody.fixed").text
    header = table.find_elements("css selector", "thead th")[3]
    button.click()
    assert values() == sorted(values())
    assert header.get_attribute("aria-sort") == "ascending"
    button.click()
    assert values() == sorted(values(), reverse=True)
    assert header.get_attribute("aria-sort") == "descending"
    assert table.find_element("css selector", "tbody.fixed").text == published


def test_pointing_at_a_dot_names_its_compound(browser: Any, report: Path) -> None:
    opened(browser, report)
    explorer = browser.find_element("css selector", ".explorer")
    data = json.loads(browser.find_element("id", "d1-points").get_attribute("textContent"))
    plot = explorer.find_elements("css selector", ".plot")[0]
    dots = plot.find_elements("css selector", ".dot")
    assert len(dots) == len(data["series"][0]["points"])
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    webdriver.ActionChains(browser).move_to_element(dots[0]).perform()
    readout = explorer.find_element("css selector", ".readout").text
    number, true, predicted, fold = data["series"][0]["points"][0]
    assert data["compounds"][number] in readout
    assert f"true {true:.4f}, predicted {predicted:.4f} Å" in readout
    assert f"fold {fold}," in readout
    names = explorer.find_elements("css selector", ".plot .name")
    assert [x.text for x in names] == [data["compounds"][number]] * 2


def test_arrow_keys_step_from_the_worst_and_the_model_can_be_changed(browser: Any, report: Path) -> None:
    opened(browser, report)
    explorer = browser.find_element("css selector", ".explorer")
    data = json.loads(browser.find_element("id", "d1-points").get_attribute("textContent"))
    options = explorer.find_elements("css selector", "option")
    assert [x.text for x in options] == [f"{x['model']}, {x['split']} split" for x in data["series"]]
    options[2].click()
    plot = explorer.find_elements("css selector", ".plot")[1]
    browser.execute_script("arguments[0].focus()", plot)
    browser.switch_to.active_element.send_keys("\ue014" * 2)  # arrow right
    expected = data["compounds"][data["series"][2]["points"][1][0]]
    readout = explorer.find_element("css selector", ".readout").text
    assert readout.startswith(f"{expected}: ")
    assert "number 2 of" in readout


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

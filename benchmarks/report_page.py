"""How large the report is, how fast it opens and how fast it answers, in Debian's Chromium (chromium, chromium-driver).

python benchmarks/report_page.py [RESULTS ...]      (results by default; RESULTS/report.html is opened)

Times are medians of several, in brackets the largest: from the start of the navigation to the load event; from a click,
or a key, to the end of the frame that shows the answer. Surfaces, which a processor draws here, follow that frame.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

LOADS, CLICKS = 5, 20
FLAGS = ("--headless", "--no-sandbox", "--no-first-run", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WATCH = """
window.answers = [];
const heading = arguments[0], surface = arguments[1];
let start = 0;
addEventListener("pointerup", event => { start = event.timeStamp; }, true);
new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
  answers.push([heading.textContent, performance.now() - start]);
}))).observe(heading, { childList: true, characterData: true, subtree: true });
window.surfaces = [];
const drawn = new MutationObserver(() => surfaces.push(performance.now() - start));
drawn.observe(surface, { attributes: true, attributeFilter: ["data-drawn"] });
"""
PLACES = """
const plot = arguments[0], {x, y} = plot.data[0], {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
const worst = [...x.keys()].sort((a, b) => Math.abs(y[b] - x[b]) - Math.abs(y[a] - x[a]));
const step = Math.max(1, Math.floor(worst.length / arguments[1] / 2));
const chosen = [...worst.slice(0, arguments[1] / 2), ...worst.filter((_, k) => k % step === 0)].slice(0, arguments[1]);
return chosen.map(k => [box.left + xaxis._offset + xaxis.l2p(x[k]), box.top + yaxis._offset + yaxis.l2p(y[k])]);
"""
ANSWER = """
const [call, done] = arguments, start = performance.now();
new Function(call)();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def measure(page: Path) -> None:
    """Print the figures of one page."""
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory(prefix="hirshprint-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(service=webdriver.ChromeService("/usr/bin/chromedriver"), options=options)
        try:
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False},
            )
            for name, values in figures(browser, page).items():
                print(f"  {name:36} {statistics.median(values):7.0f} ms ({max(values):.0f}, {len(values)} times)")
        finally:
            browser.quit()


def figures(browser: Any, page: Path) -> dict[str, list[float]]:
    """Times in ms by what was done."""
    found: dict[str, list[float]] = {}
    for _ in range(LOADS):
        browser.get(page.resolve().as_uri())
        time.sleep(1)
        entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        for name, value in zip(
            ("first paint", "opened"), browser.execute_script(f"return [{paint}, {entry}]"), strict=True
        ):
            found.setdefault(name, []).append(value)
    section = browser.find_element("css selector", ".dataset")
    start = time.perf_counter()
    browser.execute_script("arguments[0].querySelector('[data-part=explorer]').scrollIntoView()", section)
    WebDriverWait(browser, 60, 0.02).until(lambda _: section.get_attribute("data-ready") == "true")
    found["plots drawn, 3-D included"] = [1000 * (time.perf_counter() - start)]
    compound, surface, parity = (
        section.find_element("css selector", f"[data-part={name}]") for name in ("compound", "surface", "parity")
    )
    browser.execute_script(WATCH, compound, surface)
    for x, y in browser.execute_script(PLACES, parity, CLICKS):
        before = browser.execute_script("return answers.length")
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
        time.sleep(0.3)
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)
        time.sleep(1)
        if browser.execute_script("return answers.length") == before:
            print(f"  (no answer to a click at {x:.0f}, {y:.0f})")
    found["click on a point: compound shown"] = [value for _, value in browser.execute_script("return answers")]
    found["click on a point: surface drawn"] = browser.execute_script("return surfaces") or [float("nan")]
    part = "document.querySelector('.dataset [data-part={}]')"
    search = f"const input = {part.format('search')}; input.value = '{{}}'; input.dispatchEvent(new Event('input'))"
    sort = f"{part.format('heads')}.querySelectorAll('button')[{{}}].click()"
    for name, calls in {
        "sort the table": [sort.format(k) for k in (1, 2, 3, 0)],
        "search": [search.format(text) for text in ("Ti", "BaTiO3", "La O", "")],
        "turn a page of the table": [f"{part.format('next')}.click()"] * 4,
    }.items():
        found[name] = []
        for call in calls:
            found[name].append(browser.execute_async_script(ANSWER, call))
            time.sleep(0.5)
    return found


def main() -> None:
    """Measure the report of each folder."""
    pages = [Path(folder, "report.html") for folder in sys.argv[1:] or ["results"]]
    for page in pages:
        if page.exists():
            measure(page)
        else:
            print(f"{page} is not there: run the workflow, or name a folder with results")


if __name__ == "__main__":
    main()

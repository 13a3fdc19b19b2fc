"""What a page in the browser said and asked for."""

from __future__ import annotations

import json
from typing import Any


def errors(browser: Any) -> list[str]:
    """What the console says, but for the browser's advice on how Plotly reads back a canvas."""
    return [x["message"] for x in browser.get_log("browser") if "willReadFrequently" not in x["message"]]


def requests(browser: Any) -> list[str]:
    """What the page asked of a network: nothing of ours should. Fails where nothing was loaded at all."""
    events = [json.loads(x["message"])["message"] for x in browser.get_log("performance")]
    urls = [x["params"]["request"]["url"] for x in events if x["method"] == "Network.requestWillBeSent"]
    assert urls
    return [url for url in urls if not url.startswith(("file:", "data:", "blob:"))]

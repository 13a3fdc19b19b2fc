"""Ask an OPTIMADE provider for structures, page by page, and keep its answers as they are.

A program of its own, for it runs in the environment of the OPTIMADE client (envs/fetch.txt), without this library.
Each answer is kept in --pages before the next is asked for, so that a run that was broken off goes on where it was.
After what a network does (connections that drop, "too many requests", errors of the server, half an answer) it asks
again, after ever longer pauses; where answers do not fit together, as the database changed meanwhile, from the start.
Writes one JSON file: the query, when it was asked, and the raw entries.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import requests
from optimade import __version__
from optimade.client import OptimadeClient

ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 120.0
ROUNDS = 3  # of the whole query, where its pages do not fit together
MANY = 10_000_000
SORT_BY = "id"
SORT = f"sort={SORT_BY}"
NEEDED = ("lattice_vectors", "cartesian_site_positions", "species", "species_at_sites")


class KeptPages(requests.Session):
    """A session that keeps each answer in a file, answers from there where it can, and asks again where that helps."""

    folder: Path
    pause: float  # s, after the first failure; doubled after each further one
    asked = 0
    sorts = True  # OPTIMADE leaves it to the provider

    def get(self, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Return the answer to one request, from its file or from the provider."""
        kept = self.folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.json"
        if kept.exists():
            return _response(url, json.loads(kept.read_text(encoding="utf-8"))["answer"])
        answer = self._ask(url, **options)
        part = kept.with_suffix(".part")
        part.write_text(json.dumps({"url": url, "date": _now(), "answer": answer}), encoding="utf-8")
        part.replace(kept)
        print(f"{len(answer['data'])} entries from {url[:110]}", file=sys.stderr, flush=True)
        return _response(url, answer)

    def _ask(self, url: str, **options: Any) -> dict[str, Any]:
        pause, malformed = type(self).pause, 0
        for attempt in range(1, ATTEMPTS + 1):
            wait = pause
            url = url if type(self).sorts else url.replace(f"&{SORT}", "")
            try:
                type(self).asked += 1
                response = super().get(url, **options)
                if response.status_code == 200:
                    answer = response.json()
                    bad = _malformed(answer)
                    if not bad or malformed == 2:  # the same each time: it is what the provider has
                        return answer
                    malformed, problem = malformed + 1, f"malformed entries: {', '.join(bad[:5])}"
                elif response.status_code in (400, 501) and SORT in url:
                    type(self).sorts, wait, problem = False, 0.0, "the provider does not sort"
                elif response.status_code == 429 or response.status_code >= 500:
                    wait = max(pause, _retry_after(response))
                    problem = f"status {response.status_code}"
                else:
                    detail = f"status {response.status_code} {response.text[:300]}"
                    sys.exit(f"{url}: {detail}; correct url or filter in the configuration")
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                problem = type(error).__name__
            except ValueError as error:  # not JSON, or not what OPTIMADE answers
                problem = f"no OPTIMADE answer ({str(error)[:100]})"
            print(f"attempt {attempt} of {ATTEMPTS}: {problem}; again in {wait:g} s", file=sys.stderr, flush=True)
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        sys.exit(f"{url}: {problem}, {ATTEMPTS} times; run again later: it goes on with this page")


def _malformed(answer: Any) -> list[str]:
    """Entries that cannot be a structure; raises ValueError where the whole answer is none."""
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise ValueError("no list of entries in it")
    found = []
    for number, entry in enumerate(answer["data"]):
        attributes = entry.get("attributes") if isinstance(entry, dict) else None
        if not isinstance(attributes, dict) or any(not isinstance(attributes.get(key), list) for key in NEEDED):
            found.append(str(entry.get("id", number)) if isinstance(entry, dict) else str(number))
    return found


def _response(url: str, answer: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.encoding = 200, url, "utf-8"
    response._content = json.dumps(answer).encode()
    response.request = requests.Request("GET", url).prepare()
    return response


def _retry_after(response: requests.Response) -> float:
    try:
        return min(float(response.headers.get("Retry-After", 0)), LONGEST_PAUSE_SECONDS)
    except ValueError:
        return 0.0


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _problem(entries: list[Any], meta: dict[str, Any], errors: list[Any]) -> str:
    """Why the pages of one query do not fit together; empty if they do."""
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    if errors:
        return str(errors[0])
    if len(set(ids)) < len(ids):
        return f"{len(ids) - len(set(ids))} entries came twice"
    expected = meta.get("data_returned")
    return f"{len(ids)} entries came of {expected}" if expected not in (None, len(ids)) else ""


def fetch(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ask for everything; return the query and the entries.

    Where the provider gives no usable answer the program ends (`sys.exit`, which the client does not catch) and says
    what to do; the answers so far stay.
    """
    KeptPages.pause = arguments.pause
    fields = ["chemical_formula_reduced", "nsites", "last_modified", *NEEDED, *filter(None, [arguments.prefer])]
    query = {"url": arguments.url, "filter": arguments.filter, "response_fields": fields}
    name = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:16]
    KeptPages.folder = arguments.pages / name
    for number in range(1, ROUNDS + 1):
        KeptPages.folder.mkdir(parents=True, exist_ok=True)
        client = OptimadeClient(
            base_urls=arguments.url,
            use_async=False,
            silent=True,
            max_results_per_provider=MANY,
            http_client=KeptPages,
        )
        client.all_results.clear()
        answers = client.get_one(
            endpoint="structures", filter=arguments.filter, base_url=arguments.url, response_fields=fields, sort=SORT_BY
        )
        result = answers[arguments.url]
        problem = _problem(result.data, result.meta, result.errors)
        if not problem:
            break
        print(f"round {number} of {ROUNDS}: {problem}; asked again from the start", file=sys.stderr, flush=True)
        shutil.rmtree(KeptPages.folder)
    else:
        sys.exit(f"{arguments.url}: {problem}, {ROUNDS} times; run again when the database is at rest")
    pages = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(KeptPages.folder.glob("*.json"))]
    dates = sorted(page["date"] for page in pages)
    return {
        "query": query,
        "client": f"optimade {__version__}",
        "provider": result.meta.get("provider") or {},
        "asked": {"first": dates[0], "last": dates[-1], "pages": len(pages), "requests": KeptPages.asked},
        "pages_folder": str(KeptPages.folder),
        "entries": result.data,
    }


def main() -> None:
    """Fetch as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="base URL of the provider")
    parser.add_argument("--filter", required=True, help="OPTIMADE filter")
    parser.add_argument("--prefer", default="", help="a further field of each entry")
    parser.add_argument("--pages", required=True, type=Path, help="folder for the raw answers")
    parser.add_argument("--pause", type=float, default=1.0, help="s, after the first failure")
    parser.add_argument("--out", required=True, type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    found = fetch(arguments)
    part = arguments.out.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(arguments.out)
    print(f"{len(found['entries'])} entries, {found['asked']['requests']} requests", file=sys.stderr)


if __name__ == "__main__":
    main()

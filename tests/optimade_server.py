"""The OPTIMADE reference server on the loopback, with perovskites in its in-memory database, and with faults.

A program for .venv-fetch-test: optimade_server.py PORT_FILE ENTRIES.json FAULTS(yes|no)
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = 50
os.environ |= {
    "OPTIMADE_CONFIG_FILE": str(Path(tempfile.gettempdir()) / "no-such-configuration.json"),
    "OPTIMADE_DATABASE_BACKEND": "mongomock",
    "OPTIMADE_INSERT_TEST_DATA": "false",
    "OPTIMADE_PAGE_LIMIT": str(PAGE),
    "OPTIMADE_PAGE_LIMIT_MAX": str(PAGE),
    "OPTIMADE_LOG_LEVEL": "error",
    "OPTIMADE_PROVIDER_FIELDS": '{"structures": [{"name": "energy", "type": "float", "description": "eV"}]}',
}

import uvicorn  # noqa: E402
from optimade.server.main import app  # noqa: E402


class Faults:
    """An ASGI application in front of the server: it does not sort, and spoils some answers once or twice."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.pages, self.first = inner, 0, b""
        self.plan = {  # by the number of the request
            2: "drop",
            3: "429",
            5: "500",
            6: "503",
            8: "half",
            10: "malformed",
            12: "html",
            14: "drop",
            16: "changed",
        }

    async def refuse(self, send: Any, status: int) -> None:
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"errors": [{"title": "no", "detail": "no"}]}'})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or "/structures" not in scope["path"]:
            await self.inner(scope, receive, send)
            return
        if b"sort=" in scope["query_string"]:
            await self.refuse(send, 501)
            return
        self.pages += 1
        fault = self.plan.pop(self.pages, "")
        if fault in ("429", "500", "503"):
            await self.refuse(send, int(fault))
            return
        if fault == "drop":
            headers = [(b"content-length", b"100000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            raise ConnectionResetError
        parts: list[Any] = []

        async def keep(message: Any) -> None:
            parts.append(message)

        await self.inner(scope, receive, keep)
        body = b"".join(part.get("body", b"") for part in parts)
        self.first = self.first or body
        if fault == "half":
            body = body[: len(body) // 2]
        if fault == "html":
            body = b"<html>maintenance</html>"
        if fault == "malformed":
            answer = json.loads(body)
            answer["data"][3]["attributes"]["lattice_vectors"] = "none"
            answer["data"][4] = {"type": "structures"}
            body = json.dumps(answer).encode()
        if fault == "changed":  # the database changed between two pages: some entries come twice, others never
            answer = json.loads(body)
            answer["data"][:5] = json.loads(self.first)["data"][:5]
            body = json.dumps(answer).encode()
        start = next(part for part in parts if part["type"] == "http.response.start")
        kept = [(name, value) for name, value in start["headers"] if name not in (b"content-length",)]
        await send(start | {"headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    port_file, entries, faults = sys.argv[1:]
    application = Faults(app) if faults == "yes" else app
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="critical", lifespan="on"))

    async def run() -> None:
        config = server.config
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        app.state.entry_collections["structures"].insert(json.loads(Path(entries).read_text()))
        port = server.servers[0].sockets[0].getsockname()[1]
        Path(port_file).with_suffix(".part").write_text(str(port))
        Path(port_file).with_suffix(".part").replace(port_file)
        await server.main_loop()
        await server.shutdown()

    import asyncio

    asyncio.run(run())


if __name__ == "__main__":
    main()

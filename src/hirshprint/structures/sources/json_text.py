"""JSON that may be broken, from files of many crystals (light)."""

from __future__ import annotations

import json
import re
from typing import Any

ID_KEYS = ("id", "structure_id", "material_id", "jid", "mat_id", "entry_id", "auid")
DELETE = "correct it, or delete it"


class _KeyTwiceError(ValueError):
    """A key that stands twice in an object of JSON."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyTwiceError(next(key for k, (key, _) in enumerate(pairs) if key in dict(pairs[:k])))
    return found


def loaded(text: str) -> tuple[Any, tuple[str, str] | None]:
    """What some JSON is; or None, and what is wrong with it and what to do."""
    try:
        return json.loads(text.rstrip(), object_pairs_hook=_object), None
    except _KeyTwiceError as error:
        return None, (f"the key {error.args[0]} is given twice in one object", "keep one of them")
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string"):
            return None, ("it is cut off at its end, or a text in it has no closing quote", DELETE)
        if text.lstrip()[:1] in ("{", "[") and re.fullmatch(r"[\w.+-]*", text[error.pos :].rstrip()):
            return None, ("it is cut off at its end", "complete it, or delete it")
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return None, (f"it is not JSON (from {line}character {error.colno} on)", DELETE)
    except (ValueError, RecursionError):
        return None, ("it is not JSON", DELETE)


def legible_id(line: str) -> str | None:
    """The id in an object that is no whole JSON, where it stands before any list or object."""
    found = re.match(rf'\s*\{{[^{{}}\[\]]*?"({"|".join(ID_KEYS)})"\s*:\s*(?:"([^"\\]+)"|(\d+))\s*[,}}]', line)
    return (found[2] or found[3]) if found else None

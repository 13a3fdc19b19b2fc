"""What is written from the model of the configuration: its JSON schema, the default file, the table of all keys.

``python -m hirshprint.config.documents`` (``make config``) writes them; a test compares them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from hirshprint.config.keys import json_schema, keys_of
from hirshprint.config.load import resolve_config
from hirshprint.config.model import Config
from hirshprint.files.writing import written_whole

ROOT = Path(__file__).parents[3]
WIDTH = 120
EXAMPLE = {"datasets": {"experimental": {"table": "data/experimental_perovskites.csv"}}}
HINT = "# yaml-language-server: $schema=../workflow/schemas/config.schema.yaml\n"
TITLE = "# Configuration of hirshprint: every key with its default. config/README.md explains them all.\n"
TABLE = re.compile(r"^\| key \|.*\n(?:\|.*\n)+", re.MULTILINE)


def schema_file() -> str:
    """Return the JSON schema as YAML, from which editors complete keys."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hirshprint configuration",
        "description": " ".join((Config.__doc__ or "").split()),
    }
    text: str = yaml.dump(head | json_schema(Config), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=WIDTH)
    return "# written by `make config` from src/hirshprint/config/model.py\n" + text


class _Plain(yaml.SafeDumper):
    """Writes a default that occurs twice twice, instead of naming it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def default_file() -> str:
    """Return the default configuration with its comments."""
    return HINT + TITLE + "".join(f"{line}\n" for line in _section(Config, resolve_config(EXAMPLE), ""))


def _section(model: type, values: dict[str, Any], indent: str) -> list[str]:
    """Lines of one section: the keys that it has, with what is said above and beside them."""
    lines = []
    for name, (kind, described) in keys_of(model).items():
        if name not in values:
            continue
        above = [f"{indent}# {line}" for line in described.get("comment", "").splitlines()]
        below = [f"{indent}  # {line}" for line in described.get("after", "").splitlines()]
        note = f" # {described['note']}" if "note" in described else ""
        value = values[name]
        lines += [""] if model is Config else []
        if isinstance(value, dict) and name == "datasets":
            lines += [f"{indent}{name}:", *(f"{indent}  {line.strip()}" for line in above)]
            for key, dataset in value.items():
                lines += [f"{indent}  {key}:", *_section(kind.__args__[1], dataset, f"{indent}    ")]
        elif isinstance(value, dict) and value:
            lines += [*above, f"{indent}{name}:{note}", *_section(kind, value, f"{indent}  ")]
        else:
            lines += [*above, f"{indent}{name}: {written(value)}{note}"]
        lines += below
    return lines


def reference() -> str:
    """Return the reference of all keys as a Markdown table."""
    lines = ["| key | default | allowed | meaning |", "|---|---|---|---|"]

    def add(place: str, part: dict[str, Any]) -> None:
        for key, child in part.get("properties", {}).items():
            name = f"{place}{key}"
            has_default = "default" in child and child.get("type") != "object"
            default = f"`{written(child['default'])}`" if has_default else ""
            lines.append(f"| `{name}` | {default} | {_allowed(child)} | {child['description']} |")
            if "default" in child or "properties" not in child:  # else its keys are described elsewhere
                add(f"{name}.", child)
        if isinstance(part.get("additionalProperties"), dict):
            add(f"{place}NAME.", part["additionalProperties"])

    add("", json_schema(Config))
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """Write a value as YAML on one line."""
    if value == "":
        return '""'
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _allowed(part: dict[str, Any]) -> str:
    """Say in words which values a key takes."""
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    kinds = part.get("type", "")
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if words == "array":
        return f"list of {_allowed(part['items'])}"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    return words + "".join(f" {sign} {part[key]}" for key, sign in bounds.items() if key in part)


def documents() -> dict[Path, str]:
    """Text of each file that follows from the model."""
    readme = ROOT / "config/README.md"
    return {
        ROOT / "workflow/schemas/config.schema.yaml": schema_file(),
        ROOT / "config/config.yaml": default_file(),
        readme: TABLE.sub(lambda _: reference(), readme.read_text(encoding="utf-8")),
    }


def main() -> None:
    """Write the files anew."""
    for path, text in documents().items():
        with written_whole(path) as whole:
            whole.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

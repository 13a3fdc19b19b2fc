"""Configuration files as they were written: read, and keys that are written twice (light)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml


class ConfigFileError(ValueError):
    """A file that is no configuration; the message says what to do."""


def read_config_file(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Raises
    ------
    ConfigFileError
        It is missing, no YAML, empty, or has no keys.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigFileError(f"{path}: there is no such file; name the configuration by --configfile") from None
    except OSError as error:
        raise ConfigFileError(f"{path}: it cannot be read ({error.strerror}); name a file by --configfile") from None
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"{path}: not UTF-8 text (byte {error.start}); save it in UTF-8") from None
    except yaml.YAMLError as error:
        raise ConfigFileError(f"{path}{_yaml_fault(path, error)}") from None
    if not isinstance(config, dict):
        what = "it is empty" if config is None else f"it has a {'list' if isinstance(config, list) else 'value'} only"
        raise ConfigFileError(f"{path}: {what}; write keys, such as `datasets: {{mine: {{table: mine.csv}}}}`")
    return config


def _yaml_fault(path: Path, error: yaml.YAMLError) -> str:
    """Say where a file stops being YAML, and what to look for."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return ": not YAML: it has characters that are no text; delete them"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    shown = line.strip()[:60] or "the end of the file"
    if "\t" in line:
        return f" line {mark.line + 1}: a tab, which YAML does not take; indent with spaces"
    return (
        f" line {mark.line + 1}: not YAML from here on ({shown}); look for a missing colon, bracket or quote there "
        "and in the line before, and for lines that are not indented alike"
    )


def repeated_keys(path: Path) -> list[str]:
    """Say which keys a configuration file has twice: of these YAML keeps the last, without a word.

    A file that cannot be read has none here: whoever reads it says so.
    """
    if not path.is_file():
        return []
    name = os.path.relpath(path)
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # such as JSON with tabs
        return [f"{name}: `{key}` is written twice; delete one, or join what is below them" for key in _of_json(text)]
    except (OSError, UnicodeDecodeError):
        return []
    return [
        f"{name} lines {first} and {second}: `{key}` is written twice, and the first would be lost; delete one, "
        "or join what is below them"
        for key, first, second in _repeated(tree, "", set())
    ]


def comma_lists(path: Path, keys: Collection[str]) -> list[str]:
    """Say which lists of numbers are probably written with decimal commas, ``[3,905]``: of it YAML makes 3 and 905.

    Parameters
    ----------
    path : Path
        YAML file.
    keys : collection of str
        Names of the keys whose lists may have fractions.
    """
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    return [
        f"{os.path.relpath(path)} line {node.start_mark.line + 1}: `{place}`: [{','.join(words)}] may be meant with "
        f"decimal commas; write [{', '.join(map('.'.join, zip(words[::2], words[1::2], strict=True)))}], or "
        f"[{', '.join(words)}] with spaces for {len(words)} numbers"
        for place, node in _lists(tree, "", set())
        if place.rpartition(".")[2] in keys and (words := _close_pairs(node))
    ]


def _lists(node: yaml.Node | None, place: str, seen: set[int]) -> Iterator[tuple[str, yaml.SequenceNode]]:
    """Lists that are values of keys, each with its place."""
    if node is None or id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        yield place, node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lists(value, f"{place}.{key.value}".removeprefix("."), seen)


def _close_pairs(node: yaml.SequenceNode) -> list[str]:
    """Whole numbers of a list where each second follows the one before it after a comma without a space; else none."""
    words = [str(item.value) for item in node.value]
    close = all(
        first.end_mark.index + 1 == second.start_mark.index
        for first, second in zip(node.value[::2], node.value[1::2], strict=False)
    )
    whole = all(isinstance(item, yaml.ScalarNode) and re.fullmatch("[0-9]+", item.value) for item in node.value)
    decimals = any(len(word) > 2 or word.startswith("0") for word in words[1::2])  # [4,5] may well be two edges
    return words if node.flow_style and close and whole and decimals and len(words) % 2 == 0 else []


def _repeated(node: yaml.Node | None, place: str, seen: set[int]) -> Iterator[tuple[str, int, int]]:
    """Keys that a mapping has more than once, each with two lines; those that YTE templates begin with ? may repeat."""
    if node is None or id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _repeated(item, f"{place}{number}.", seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            written = str(key.value)
            if isinstance(key, yaml.ScalarNode) and not written.startswith("?") and not key.tag.endswith(":merge"):
                if (key.tag, written) in lines:
                    yield f"{place}{written}", lines[key.tag, written], line
                lines.setdefault((key.tag, written), line)
            yield from _repeated(value, f"{place}{written}.", seen)


def _of_json(text: str) -> list[str]:
    """Keys that an object of a JSON text has more than once; none where it is no JSON."""
    found: list[str] = []

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        found.extend(dict.fromkeys(key for key in keys if keys.count(key) > 1))
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=read)
    except ValueError:
        return []
    return found

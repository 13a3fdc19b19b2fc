"""What is wrong with a value of the configuration, in sentences that say what to write (light)."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from typing import Any

import jsonschema

from hirshprint.words import either, nearest

KINDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list in brackets",
    "object": "a section with keys of its own",
    "null": "null",
}
"""Types of a JSON schema in words."""
WORDS = {True: ("true", "yes, on and true"), False: ("false", "no, off and false")}
"""What YAML reads as a truth value."""


def _is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


def value_faults(config: Any, schema: dict[str, Any]) -> list[str]:
    """Say what in a configuration does not fit its schema, a line each; 5.0 is no whole number, and nan none at all."""
    plain = jsonschema.Draft202012Validator
    types = plain.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
    extend: Callable[..., Any] = jsonschema.validators.extend
    validator = extend(plain, type_checker=types)(schema)
    return list(dict.fromkeys(line for error in validator.iter_errors(config) for line in _explain(error)))


def with_text_keys(config: Any, place: str = "") -> tuple[Any, list[str]]:
    """Return a copy in which every key is text, and say which were none: YAML reads 2020, no and dates as others."""
    if isinstance(config, list):
        pairs = [with_text_keys(item, f"{place}.{number}") for number, item in enumerate(config)]
        return [item for item, _ in pairs], [fault for _, faults in pairs for fault in faults]
    if not isinstance(config, dict):
        return config, []
    copied: dict[str, Any] = {}
    found: list[str] = []
    before = ""
    for key, value in config.items():
        if before and value is None and re.fullmatch("[0-9]+", str(key)):
            found.append(f"`{f'{place}.{before}'.removeprefix('.')}`: {_comma_fault(copied.pop(before))}")
            before = ""
            continue
        before = str(key) if isinstance(value, int) and not isinstance(value, bool) else ""
        if not isinstance(key, str):
            found.append(f"`{place.removeprefix('.') or 'configuration'}`: {_key_fault(key)}")
        copied[str(key)], faults = with_text_keys(value, f"{place}.{key}")
        found += faults
    return copied, found


def _comma_fault(whole: int) -> str:
    return (
        f"a comma follows the number {whole}, and in braces it ends the value; write a number with a decimal point, "
        "such as 0.003 or 3.905"
    )


def _key_fault(key: Any) -> str:
    if isinstance(key, bool):
        word, read = WORDS[key]
        example = "no" if word == "false" else "on"
        return f'a key is {word}, which YAML makes of {read}; put it in quotes, such as "{example}"'
    if key is None:
        return "a key is empty; write its name before the colon"
    kind = "a date" if isinstance(key, datetime.date) else "a number"
    return f'YAML reads the key {key} as {kind}; put it in quotes, such as "{key}", or choose a name with letters'


def _explain(error: Any) -> list[str]:
    """Turn one schema error into lines that say what is wrong where, and what to do."""
    place = ".".join(str(part) for part in error.absolute_path)
    inside, bound, value = f"{place}." if place else "", error.validator_value, error.instance
    at = f"`{place or 'configuration'}`:"
    if error.validator == "additionalProperties":
        return [_unknown(inside, str(key), list(error.schema["properties"])) for key in _unknown_keys(error)]
    if error.validator == "required":
        missing = [key for key in bound if key not in value]
        example = ", such as `datasets: {mine: {table: mine.csv}}`"
        return [f"`{inside}{key}`: is missing; write it{example if key == 'datasets' else ''}" for key in missing]
    if error.validator == "type":
        return [f"{at} {_type_fault(value, bound, error.schema)}"]
    if error.validator == "enum":
        near = nearest(str(value), [str(word) for word in bound])
        hint = f" (did you mean {_choices(near)}?)" if near else ""
        return [f"{at} {_shown(value)} is none of {', '.join(str(word) for word in bound)}{hint}"]
    if error.validator == "pattern" and "integer" in error.schema.get("type", ()):
        return [f"{at} {_type_fault(value, [kind for kind in error.schema['type'] if kind != 'string'], error.schema)}"]
    if error.validator == "pattern":
        right = re.sub("[^A-Za-z0-9_-]+", "_", str(value)).strip("_") or "a name such as mine"
        return [f"{at} the name {_shown(value)} has other characters than letters, digits, _ and -; write {right}"]
    if error.validator == "uniqueItems":
        twice = next(one for k, one in enumerate(value) if one in value[:k])
        return [f"{at} has {_shown(twice)} twice; delete one"]
    sentences = {
        "minimum": f"must be at least {bound}, and is {_shown(value)}",
        "exclusiveMinimum": f"must be above {bound}, and is {_shown(value)}",
        "maximum": f"must be at most {bound}, and is {_shown(value)}",
        "minItems": "the list is empty; write at least one, or delete the key",
        "minProperties": "is empty; write at least one name below it, or delete the key",
    }
    return [f"{at} {sentences[error.validator]}"]


def _unknown_keys(error: Any) -> list[str]:
    return sorted(set(error.instance) - set(error.schema["properties"]))


def _unknown(inside: str, key: str, known: list[str]) -> str:
    near = nearest(key, known, cutoff=0.5)
    hint = f"did you mean {_choices(near)}?" if near else f"known here: {', '.join(known)}"
    return f"`{inside}{key}`: unknown key; {hint}"


def _choices(words: list[str]) -> str:
    return either(f"`{word}`" for word in words)


def _type_fault(value: Any, wanted: str | list[str], schema: dict[str, Any]) -> str:
    """Say what a value must be and is, and how to write it."""
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    must = f"must be {' or '.join(KINDS[kind] for kind in kinds)}"
    default = schema.get("default", {})
    usual = "" if isinstance(default, dict) else f"; the default is {json.dumps(default, ensure_ascii=False)}"
    if value is None:
        return f"{must}, and is empty{usual}; write a value, or delete the key"
    what = f"the text {_shown(value)}" if isinstance(value, str) else _shown(value)
    return f"{must}, and is {what}{_remedy(value, kinds)}{usual}"


def _remedy(value: Any, kinds: list[str]) -> str:
    """How to write what was probably meant, as the end of a sentence; empty where nothing is probable."""
    if "string" in kinds and isinstance(value, bool):
        word = '"No"' if not value else '"on"'
        return f", which YAML makes of {WORDS[value][1]}; put it in quotes, such as {word}"
    if "string" in kinds and isinstance(value, dict) and list(value.values()) == [None]:
        return f'; put it in quotes, "{{{next(iter(value))}}}"'
    if "string" in kinds and isinstance(value, (int, float, datetime.date)):
        return f'; put it in quotes, "{value}"'
    if "boolean" in kinds and str(value).lower() in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        meant = "true" if str(value).lower() in ("true", "yes", "on", "1") else "false"
        return f"; write {meant} without quotes (on the command line {meant.capitalize()})"
    if {"integer", "number"} & set(kinds) and isinstance(value, (str, float)):
        try:
            meant_number = float(str(value).replace(",", "."))
        except ValueError:
            return ""
        if not math.isfinite(meant_number) or ("number" not in kinds and meant_number % 1):
            return ""
        written = yaml_number(meant_number) if "number" in kinds else str(int(meant_number))
        why = ""
        if isinstance(value, str):
            exponent = "e" in value.lower() and "," not in value
            why = (
                " (YAML reads such an exponent as text)"
                if exponent
                else " (in a section of --config every value is text)"
            )
        return f"; write {written} without quotes{why}"
    if "array" in kinds and isinstance(value, (str, int, float)):
        return f"; write [{value}]"
    return "; write its keys below it, indented" if "object" in kinds else ""


def yaml_number(value: float) -> str:
    """Write a number so that YAML 1.1 reads it as one: an exponent needs a point before it and a sign."""
    text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return text if "." in text or "e" not in text else text.replace("e", ".0e")


def _shown(value: Any) -> str:
    """A value as it is written, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]} ..."

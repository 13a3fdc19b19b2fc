"""How a section of the configuration is described: keys with types, defaults, bounds and meaning (light).

Dataclasses and not pydantic: every SLURM job reads the configuration when it parses the Snakefile. Its messages need
jsonschema anyhow; pydantic would add half as much again to the time of the import, and a package to each environment.
"""

from __future__ import annotations

import copy
import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Self, TypeVar, cast

T = TypeVar("T")
BOUNDS = {"minimum": "minimum", "above": "exclusiveMinimum", "maximum": "maximum"}
WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", types.NoneType: "null"}


def given(meaning: str, **more: Any) -> Any:
    """Describe a key without a default: see the docstring of this module."""
    return dataclasses.field(metadata={"meaning": " ".join(meaning.split()), **more})


def key(default: Any, meaning: str, **more: Any) -> Any:
    """Describe a key: see the docstring of this module."""
    return given(meaning, default=default, **more)


class Section:
    """What all sections share: they are made of mappings, and give them back."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a section of the mapping that a configuration file has for it.

        Parameters
        ----------
        values : Mapping
            Checked keys of the section (`hirshprint.config.load.resolve_config`). One that is missing has its default,
            or None where the section may be without it.
        """
        model: Any = cls
        keys = keys_of(model).items()
        return cls(**{name: _typed(kind, _value(values, name, described)) for name, (kind, described) in keys})

    def written(self) -> dict[str, Any]:
        """Give the keys of the section as a configuration file has them; those that are absent are left out."""
        model: Any = type(self)
        values = {name: getattr(self, name) for name in keys_of(model)}
        return {name: _written(value) for name, value in values.items() if value is not None}


def part(model: type, **more: Any) -> Any:
    """Describe a key that is a section, by the docstring of its class."""
    return key({}, model.__doc__ or "", **more)


@cache
def keys_of(model: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Keys of a section in the order of the files: the type of a value, and how the key was described."""
    types_of = typing.get_type_hints(model)
    described = {field.name: dict(field.metadata) for field in dataclasses.fields(model) if field.metadata}
    return {
        name: (types_of[name] if "nullable" in more else _present(types_of[name]), more)
        for name, more in described.items()
    }


def needed(value: T | None) -> T:
    """Give the value of a key that is there in a section of this kind.

    Raises
    ------
    TypeError
        It is absent.
    """
    if value is None:
        raise TypeError("a key of the configuration is asked for that a section of this kind does not have")
    return value


def keys_only_for(model: type) -> dict[str, set[str]]:
    """Keys of a section that belong to one kind of it only, by kind."""
    only: dict[str, set[str]] = {}
    for name, (_, described) in keys_of(model).items():
        if "only" in described:
            for kind in described["only"].split():
                only.setdefault(kind, set()).add(name)
    return only


@cache
def json_schema(model: type) -> dict[str, Any]:
    """Return the JSON schema of a section (draft 2020-12)."""
    properties, required = {}, []
    for name, (kind, described) in keys_of(model).items():
        bounds = {word: described[ours] for ours, word in BOUNDS.items() if ours in described}
        default = {"default": described["default"]} if "default" in described else {}
        properties[name] = {"description": described["meaning"], **_schema_of(kind, bounds), **default}
        if default.get("default") == []:
            del properties[name]["minItems"]  # none is what most write
        if default.get("default") == {}:
            properties[name].pop("minProperties", None)
        required += [name] if described.get("required") else []
    closed = {"type": "object", "additionalProperties": False}
    return closed | ({"required": required} if required else {}) | {"properties": properties}


def _schema_of(kind: Any, bounds: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value of this type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return json_schema(typing.cast(type, kind))
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": _schema_of(inner[0], bounds)}
    if origin is dict:
        name = {"pattern": "^[A-Za-z0-9_-]+$"}
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": name,
            "additionalProperties": _schema_of(inner[1], bounds),
        }
    if origin in (types.UnionType, typing.Union):
        words = [word for choice in inner for word in typing.get_args(choice)]
        patterns = {"pattern": f"^({'|'.join(words)})$"} if words else {}
        return {"type": [WORDS.get(choice, "string") for choice in inner], **bounds, **patterns}
    return {"type": WORDS[kind], **bounds}


def _present(kind: Any) -> Any:
    """Type of a value that is not absent."""
    choices = typing.get_args(kind)
    if types.NoneType not in choices:
        return kind
    return typing.Union[tuple(choice for choice in choices if choice is not types.NoneType)]  # noqa: UP007


def _value(values: Mapping[str, Any], name: str, described: Mapping[str, Any]) -> Any:
    """Value of a key, or its default unless it may be absent."""
    if name in values or not {"only", "may_be_absent"}.isdisjoint(described):
        return values.get(name)
    return copy.deepcopy(described.get("default"))


def _typed(kind: Any, value: Any) -> Any:
    """Give a value of a checked configuration its type: sections become dataclasses, all else is as it was."""
    kind = _present(kind)
    inner = typing.get_args(kind)
    if value is None:
        return None
    if dataclasses.is_dataclass(kind):
        return cast("type[Section]", kind).from_dict(value)
    if typing.get_origin(kind) is list:
        return [_typed(inner[0], one) for one in value]
    if typing.get_origin(kind) is dict:
        return {name: _typed(inner[1], one) for name, one in value.items()}
    return value


def _written(value: Any) -> Any:
    if isinstance(value, Section):
        return value.written()
    if isinstance(value, list):
        return [_written(one) for one in value]
    return {name: _written(one) for name, one in value.items()} if isinstance(value, dict) else value

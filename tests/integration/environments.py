"""Which environment of `envs/` each script runs in, and what is not in it."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
RULES = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
SCRIPTS = {  # with the environment of the rule that runs it
    script: environment
    for environment, script in re.findall(
        r'^    conda:\n        "../../envs/(\w+)\.yaml"\n(?:(?!^rule ).*\n)*?    script:\n +"../scripts/(\w+\.py)"',
        RULES,
        re.MULTILINE,
    )
}


def lock_program() -> ModuleType:
    """Import envs/lock.py."""
    specification = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


LOCK = lock_program()


def pins(name: str) -> dict[str, str]:
    """Return the versions of the packages of a lock."""
    return dict(pin.split("==") for pin in LOCK.pins(name))


def plain(name: str) -> str:
    """Return the name of a package as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def needed_by(package: str) -> frozenset[str]:
    """Return a package and all that it needs, of what is installed here."""
    found, new = {package}, [package]
    while new:
        for line in metadata.requires(new.pop()) or []:
            name = plain(re.split(r"[^\w.-]", line, maxsplit=1)[0])
            if "extra ==" not in line and name not in found and _is_installed(name):
                found.add(name)
                new.append(name)
    return frozenset(found)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def not_there() -> dict[str, list[str]]:
    """Return, for each script, the modules installed here that its environment lacks.

    Snakemake, and what it needs, is lent to every job by the head process.
    """
    modules = {
        name: {plain(package) for package in packages} for name, packages in metadata.packages_distributions().items()
    }
    lent = needed_by("snakemake") | {"hirshprint"}
    there = {environment: set(pins(environment)) | lent for environment in set(SCRIPTS.values())}
    return {
        Path(script).stem: sorted(name for name, packages in modules.items() if not packages & there[environment])
        for script, environment in SCRIPTS.items()
    }

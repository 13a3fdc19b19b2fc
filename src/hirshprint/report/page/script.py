"""The page's script: the modules of ``explorer``, joined in the order in which they need each other."""

from __future__ import annotations

import re
from importlib.resources import files

IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)


def joined_script(start: str = "main") -> str:
    """Join a module of ``explorer`` and all that it imports to one script, without imports and exports.

    The page is a single file, which a browser opens from disk: it can load no modules. All of them share one scope, so
    that no two may have a name in common.

    Parameters
    ----------
    start : str
        Name of the module that needs all others.
    """
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        text = files("hirshprint.report.page").joinpath("explorer", f"{name}.js").read_text(encoding="utf-8")
        for needed in IMPORT.findall(text):
            if needed not in modules:
                add(needed)
        modules[name] = re.sub(r"^export ", "", IMPORT.sub("", text), flags=re.MULTILINE)

    add(start)
    return "\n".join(['"use strict";', *modules.values()])

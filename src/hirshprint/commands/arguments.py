"""The arguments of every command, with their help (light: nothing is imported that a command needs)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hirshprint import __version__
from hirshprint.commands.epilogs import EPILOGS

DESCRIPTION = "Hirshfeld surfaces of the atoms of a crystal, and their fingerprints."
EXIT_CODES = "exit codes: 0 done, 1 it could not be done, 2 the command line has a mistake; the reason is one line"
FILES = "structure file: CIF, POSCAR, SHELX .res, extended XYZ, CSSR, XSF, GEN, pymatgen's JSON"
SUMMARIES = {
    "init": "look at your crystals, and write a configuration for them",
    "surface": "surfaces of one structure: meshes, a picture, a table of its sites",
    "fingerprint": "fingerprint of one structure: a file, and a picture by contact",
    "compare": "distances between two fingerprints, and a map of their difference",
    "check": "what files, folders and files of many crystals are read as, and what is wrong with them",
    "predict": "the property of new compounds, with the networks that a run trained",
    "recover": "clear what a killed run left in this folder",
    "status": "which structures are new, changed, failed, remarked or rejected, and why",
}
WITH_JSON = ("surface", "fingerprint", "compare", "check", "predict", "status")
SHELLS = ("bash", "zsh")


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    whole = argparse.ArgumentParser(
        "hirshprint",
        description=DESCRIPTION,
        epilog=f"{EPILOGS['']}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=__version__)
    whole.add_argument(
        "--print-completion", action=_Completion, choices=SHELLS, help="print what completes commands in this shell"
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {
        name: commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:],
            epilog=EPILOGS[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, summary in SUMMARIES.items()
    }
    _add_arguments_of_one(added)
    _add_arguments_of_predict(added["predict"])
    added["init"].add_argument("path", type=Path, metavar="PATH", help="folder of structure files, table, or file")
    added["init"].add_argument(
        "--out",
        type=Path,
        default=Path("config/mine.yaml"),
        metavar="FILE.yaml",
        help="configuration to write (default: config/mine.yaml)",
    )
    added["check"].add_argument("path", nargs="+", type=Path, metavar="PATH", help="folder or file")
    added["check"].add_argument("--csv", type=Path, metavar="T.csv", help="table to write")
    added["recover"].add_argument("--failed", action="store_true", help="have failed structures computed again")
    added["status"].add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[Path("config/config.yaml")],
        metavar="FILE",
        help="as in a run",
    )
    added["status"].add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="as in a run")
    for name in WITH_JSON:
        added[name].add_argument("--json", action="store_true", help="print the results as JSON, for scripts")
    return whole


def _add_arguments_of_one(added: dict[str, argparse.ArgumentParser]) -> None:
    """Arguments of the commands for one structure."""
    for name in ("surface", "fingerprint"):
        added[name].add_argument(
            "structure",
            metavar="FILE|FORMULA",
            help=f"{FILES}; FILE:ID of a file of many crystals; or a formula such as SrTiO3",
        )
    added["compare"].add_argument("first", metavar="A", help=f"fingerprint file (.h5); {FILES}; FILE:ID; or formula")
    added["compare"].add_argument("second", metavar="B", help="the same")
    for name in ("surface", "fingerprint", "compare"):
        added[name].add_argument(
            "--edge",
            type=_edge,
            default=4.5,
            metavar="Å",
            help="edge of the ideal cubic perovskite that a formula is placed on (default: 4.5)",
        )
        added[name].add_argument(
            "--densities",
            metavar="SOURCE",
            help="free-atom densities: thakkar (default, where its table is at hand), x2c (else), or a file of them",
        )
    added["surface"].add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write to")
    added["fingerprint"].add_argument("--out", required=True, type=Path, metavar="F.h5", help="HDF5 file to write")
    added["fingerprint"].add_argument(
        "--weighting", choices=("area", "paper"), default="area", help="area in Å² (default), or points as in the paper"
    )
    for name in ("fingerprint", "compare"):
        added[name].add_argument(
            "--picture", type=_picture, metavar="F.png", help="picture to write (.png, .pdf or .svg)"
        )


def _add_arguments_of_predict(predict: argparse.ArgumentParser) -> None:
    predict.add_argument(
        "formula",
        nargs="*",
        metavar="FORMULA|FILE",
        help="formulas, such as SrTiO3; files and folders, as --cif",
    )
    predict.add_argument("--table", type=Path, metavar="T.csv", help="CSV with formula, or formula, A, B, X")
    predict.add_argument(
        "--cif", type=Path, metavar="DIR|FILE", help="structure file, folder of them, or file of many crystals"
    )
    predict.add_argument(
        "--model", type=Path, metavar="DIR", help="folder of a run's models (default: models/oqmd of hirshprint)"
    )
    predict.add_argument(
        "--network", metavar="NAME", help="network of the folder (default: that of lowest validation error)"
    )
    predict.add_argument("--out", type=Path, metavar="P.csv|P.json", help="file to write (default: the terminal)")


def _edge(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no length in Å")
    return value


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise argparse.ArgumentTypeError(f"{text}: name a .png, .pdf or .svg file")
    return path


class _Completion(argparse.Action):
    """Prints the script that completes commands, options and files in a shell, and ends; made by shtab."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        try:
            import shtab
        except ModuleNotFoundError:
            parser.error("completion needs the package shtab: run `make env` again, or `pip install shtab`")
        for action in _actions(parser):
            if action.metavar == "DIR":
                vars(action)["complete"] = shtab.DIRECTORY
            elif action.type in (Path, _picture) or action.dest in ("structure", "first", "second"):
                vars(action)["complete"] = shtab.FILE
        print(shtab.complete(parser, shell=values))
        parser.exit()


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Arguments of a parser and of its commands."""
    actions = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            actions += [one for command in action.choices.values() for one in _actions(command)]
    return actions

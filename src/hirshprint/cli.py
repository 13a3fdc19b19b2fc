"""Hirshfeld surfaces of the atoms of a crystal, and their fingerprints."""

from __future__ import annotations

import argparse
import math
import os
import sys
from importlib import import_module
from pathlib import Path

from hirshprint import __version__
from hirshprint.commands import FAILED, CommandError
from hirshprint.files.reading import DamagedError
from hirshprint.run.environment import prepare_command
from hirshprint.run.logs import show_log

EXIT_CODES = "exit codes: 0 done, 1 it could not be done, 2 the command line has a mistake; the reason is one line"

FILES = "structure file: CIF, POSCAR, SHELX .res, extended XYZ, CSSR, XSF, GEN, pymatgen's JSON"
EXAMPLES = {
    "": """examples:
  hirshprint surface SrTiO3.cif --out surfaces       meshes, a picture and a table of the sites
  hirshprint fingerprint SrTiO3 --edge 3.905 --out SrTiO3.h5 --picture SrTiO3.png
  hirshprint compare SrTiO3.h5 BaTiO3.cif --picture difference.png
  hirshprint check structures                        what each file is read as, or what is wrong with it
  hirshprint predict SrTiO3 --model results/experimental/models
  hirshprint status                                  which structures are new, changed, failed, remarked or rejected
  hirshprint recover                                 after a killed run: then run snakemake again

each command has its own --help""",
    "surface": """what is written into DIR, for every distinct site:
  SITE.vtp       all properties as point data, double precision, for ParaView and PyVista: d_i, d_e, d_norm (with
                 the radii at which the free atoms have 0.001 e/bohr³), inside_species, outside_species,
                 outside_index (row of the atom), normal, curvedness, shape_index
  SITE.ply       the same as scalars of the vertices, single precision
  SITE.gltf      d_e as vertex colours; one metre of glTF is 1 Å
and for the structure:
  sites.csv      area Å², volume Å³, sphericity, ranges of d_i and d_e in Å, shares of contact with each
                 element; mesh_level of the files: 48 (1e-4 Å off) up to 8 sites, coarser for more, 16 at least
  contacts.csv   who meets whom: for each site the patches of its surface by the site that they face and its
                 distance, with their area, share, means and deviations of d_i and d_e
  contacts.png   the same as bars
  surfaces.png   atoms, surfaces and fingerprint; left out, with the reason, where OpenGL does not work
Positions are Cartesian, in Å, with a along x and b in the xy plane. Sites are named as in the CIF if its labels
are different, else Ti1, O1, O2 ...; A, B and X for a formula. What an earlier call wrote into DIR is replaced.

examples:
  hirshprint surface SrTiO3.cif --out surfaces
  hirshprint surface POSCAR --out surfaces --densities x2c
  hirshprint surface crystals.jsonl:mp-5229 --out surfaces
  hirshprint surface SrTiO3 --edge 3.905 --out surfaces""",
    "fingerprint": """h5py is enough to open the file; results/README.md lists its contents. Its channels are `total`,
one for each distinct site, `anion` and `cation`. The picture shows d_i to the right and d_e upwards. It has a panel for
every contact (element inside → nearest element outside) with its share of the area of all atoms. Surfaces have mesh
level 10, the default of a run.

examples:
  hirshprint fingerprint SrTiO3.cif --out SrTiO3.h5 --picture SrTiO3.png
  hirshprint fingerprint PuCuO3 --edge 3.52582 --weighting paper --out PuCuO3.h5""",
    "compare": """A and B are each a structure file, FILE:ID of a file of many crystals, a formula ABX3 (both at --edge)
or a fingerprint file; FILE.h5:STRUCTURE_ID names one of several structures in it. If one is a file, the other
is computed with its bins and weighting. Each fingerprint (all atoms) is scaled to a sum of one. L1 is the sum of the
differences, from 0 to 2. The earth mover's distance is the mean distance in Å that area has to move in the plane of d_i
and d_e to turn one into the other.

examples:
  hirshprint compare SrTiO3.cif CaTiO3.cif --picture difference.png
  hirshprint compare SrTiO3.h5 BaTiO3 --edge 4.0
  hirshprint compare results/experimental/fingerprints.h5:SrTiO3-a4.50000 SrTiO3""",
    "check": """PATH is a folder, a file of many crystals (.jsonl, .json, .extxyz, .db ...), or a structure file; give
one or several. Nothing is computed: each crystal is read as a run would read it, and shown with formula, space group
(of the atoms as they are, whatever the file says), atoms in the cell, shortest distance, and remarks on what was
assumed or corrected. Rejected crystals follow, with reason and remedy. T.csv has all this and the cell constants. The
exit code is 1 if any crystal is rejected.

examples:
  hirshprint check structures --csv read.csv
  hirshprint check crystals.jsonl.gz
  hirshprint check SrTiO3.cif POSCAR""",
    "predict": """DIR is results/DATASET/models of a run; without it, the models that come with hirshprint. The network
with the lowest validation error is used, or that of --network, averaged over all its folds and seeds. Surfaces and
fingerprints are made as the model's card says; a model that this version of hirshprint cannot use is refused. Formulas
get the prototype of the training; so do the files of --cif that are crystals of it (their own geometry is not used). If
the model learned from files, the files are used as they are.

Columns of the result: name, formula, elements by site, a_predicted_angstrom and a_std_angstrom (named after the
property; std is the standard deviation to expect), a_spread_angstrom (between the networks), unseen (elements that
training had on no such site), fingerprint_distance (to the nearest fingerprint of the training, in units of what is
usual there), outside_domain (an unseen element, or that distance above 1). The value of a compound outside is a guess.

examples:
  hirshprint predict SrTiO3 BaZrO3
  hirshprint predict SrTiO3 --model results/experimental/models --network cgcnn
  hirshprint predict --table compounds.csv --model results/oqmd/models --out predictions.csv
  hirshprint predict --cif structures --model results/mine/models --out predictions.json
  hirshprint predict --cif crystals.jsonl.gz --model results/mine/models --out predictions.csv""",
    "recover": """It ends the jobs that a killed run left in this folder, also those that wait or run in SLURM,
and clears its lock; what has been computed is kept. With --failed, the next run computes structures again that failed
or were given up.

examples:
  hirshprint recover
  hirshprint recover --failed""",
    "status": """It compares the input with the results, structure by structure, and asks Snakemake what the next run
would make: the last line says how many jobs of each rule, or that the results are up to date. Nothing is changed.

examples:
  hirshprint status
  hirshprint status --configfile config/mine.yaml""",
}
COMPUTING = ("surface", "fingerprint", "compare", "predict")  # commands that make surfaces
SUMMARIES = {
    "surface": "surfaces of one structure: meshes, a picture, a table of its sites",
    "fingerprint": "fingerprint of one structure: a file, and a picture by contact",
    "compare": "distances between two fingerprints, and a map of their difference",
    "check": "what files, folders and files of many crystals are read as, and what is wrong with them",
    "predict": "the property of new compounds, with the networks that a run trained",
    "recover": "clear what a killed run left in this folder",
    "status": "which structures are new, changed, failed, remarked or rejected, and why",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = _parser().parse_args(arguments)
    show_log()
    if given.command in COMPUTING:
        prepare_command()
    try:
        import_module(f"hirshprint.commands.{given.command}").run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except CommandError as error:
        print(f"hirshprint {given.command}: {error}", file=sys.stderr)
        return error.code
    except DamagedError as error:
        print(f"hirshprint {given.command}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"hirshprint {given.command}: {place}{error.strerror or error}", file=sys.stderr)
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "hirshprint",
        description=__doc__,
        epilog=f"{EXAMPLES['']}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {
        name: commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:],
            epilog=EXAMPLES[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, summary in SUMMARIES.items()
    }
    _add_arguments_of_one(added)
    added["check"].add_argument("path", nargs="+", type=Path, metavar="PATH", help="folder or file")
    added["check"].add_argument("--csv", type=Path, metavar="T.csv", help="table to write")
    added["predict"].add_argument("formula", nargs="*", metavar="FORMULA", help="formulas, such as SrTiO3")
    added["predict"].add_argument("--table", type=Path, metavar="T.csv", help="CSV with formula, or formula, A, B, X")
    added["predict"].add_argument(
        "--cif", type=Path, metavar="DIR|FILE", help="folder of structure files, or file of many crystals"
    )
    added["predict"].add_argument(
        "--model", type=Path, metavar="DIR", help="folder of a run's models (default: models/oqmd of hirshprint)"
    )
    added["predict"].add_argument(
        "--network", metavar="NAME", help="network of the folder (default: that of lowest validation error)"
    )
    added["predict"].add_argument(
        "--out", type=Path, metavar="P.csv|P.json", help="file to write (default: the terminal)"
    )
    added["recover"].add_argument("--failed", action="store_true", help="have failed structures computed again")
    added["status"].add_argument("--configfile", type=Path, default=Path("config/config.yaml"), metavar="FILE")
    return parser


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
            default="thakkar",
            metavar="SOURCE",
            help="free-atom densities: thakkar (default), x2c, or a file made by the workflow",
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


if __name__ == "__main__":
    raise SystemExit(main())

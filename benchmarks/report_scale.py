"""What the report and the learning of a large dataset take, stage by stage, each in a process of its own.

python benchmarks/report_scale.py make FOLDER [STRUCTURES]     write two finished datasets below FOLDER/results
python benchmarks/report_scale.py run FOLDER [STAGE ...]       run the stages on them; print memory, CPU time, output

`perovskites` has an ABX3 compound per structure and all models; `crystals` stands for structure files, of differing
sites. Fingerprints are shifted, mixed and scaled from some that the engine computed, so that they compress as real ones
do; predictions are the truth with noise. FOLDER/results/densities/thakkar.h5 must be there (any run writes it).
A training stage runs one epoch of one fold: what it holds in memory is what all of them hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

FOLDS, SEED = 5, 0
NETWORKS = {"cnn_paper": 0.06, "cgcnn": 0.05, "readout": 0.03, "hybrid": 0.025}  # sd of the errors, Å
BASELINES = {"mean": 0.35, "ridge": 0.12, "gradient_boosting": 0.05, "mlp": 0.06, "svr": 0.07, "grnn": 0.09}
BASELINES |= {"cpann": 0.1, "bond_lengths": 0.15, "verma": 0.14}
OF_FILES = ("cnn_paper", "cgcnn", "mean", "ridge", "gradient_boosting", "mlp", "svr", "grnn", "cpann")
KINDS = ("perovskites", "crystals")
CAPTIONS = Path(__file__).parents[1] / "workflow/report"
LEARNING: dict[str, Any] = {"splits": ["random"], "folds": FOLDS, "seeds": [0], "validation_fraction": 0.15}
LEARNING |= {"learning_curve": [], "holdout": [], "saliency": []}
LEARNING |= {name: {"epochs": 1, "batch_size": 128, "learning_rate": 0.003} for name in NETWORKS}
LEARNING["cgcnn"] |= {"radius_angstrom": 5.0, "start_from": ""}


# --- the datasets -----------------------------------------------------------------------------------------------------


def make(folder: Path, structures: int) -> None:
    """Write both datasets."""
    for kind in KINDS:
        results = folder / "results" / kind
        results.mkdir(parents=True, exist_ok=True)
        write_dataset(results, kind, structures, folder / "results/densities/thakkar.h5")


def write_dataset(results: Path, kind: str, structures: int, densities: Path) -> None:
    """Write one dataset as the workflow leaves it, but for what the stages make."""
    import numpy as np

    from hirshprint.densities import read_densities
    from hirshprint.hirshfeld.python.engine import compute_surfaces
    from hirshprint.hirshfeld.surface import pack_surfaces
    from hirshprint.structures.placed import cubic_perovskite
    from hirshprint.structures.structure import write_structures

    rng = np.random.default_rng(SEED)
    atoms = read_densities(densities)
    bases = [
        cubic_perovskite(x, edge, "")
        for x in product(cations()[::20], cations()[5::16], ANIONS[::4])
        for edge in (3.8, 4.5)
    ]
    surfaces = [compute_surfaces(one, atoms) for one in bases]
    names = compounds(structures) if kind == "perovskites" else formulas(structures, rng)
    targets = targets_of(kind, names, rng)
    targets.to_csv(results / "targets.csv", index=False)
    status = targets[["structure_id", "source"]].assign(status="ok", stage="", reason="", remedy="")
    status.to_csv(results / "status.csv", index=False)
    made = [crystal(kind, row, rng) for row in targets.to_dict("records")]
    (results / "structures.h5").unlink(missing_ok=True)
    write_structures(results / "structures.h5", made, {"source": kind, "planned": structures})
    write_counts(results / "fingerprints.h5", kind, made, surfaces, rng)
    shown = {name: surfaces[k % len(surfaces)] for k, name in enumerate(targets["structure_id"][:: structures // 200])}
    np.savez(results / "shown_surfaces.npz", **pack_surfaces(shown))
    for part, models in (("networks", NETWORKS), ("baselines", BASELINES)):
        tables = predictions(kind, targets, {m: e for m, e in models.items() if kind == KINDS[0] or m in OF_FILES})
        with (results / f"predictions_{part}.csv").open("w") as file:
            for number, table in enumerate(tables):
                table.to_csv(file, index=False, header=number == 0, float_format="%.9g")
    print(f"{results}: {len(targets):,} structures, {targets['compound'].nunique():,} compounds", flush=True)


ANIONS = ("O", "F", "S", "Cl", "Se", "Br", "Te", "I", "N", "P", "As", "H", "C", "At", "Po", "Ge", "Sb")


def cations() -> list[str]:
    """Symbols of the elements that stand on A and B."""
    from hirshprint.structures.symbols import SYMBOLS

    return [one for one in SYMBOLS[2:100] if one not in (*ANIONS, "Ne", "Ar", "Kr", "Xe", "Rn")]


def compounds(count: int) -> list[tuple[str, str, str]]:
    """Elements on A, B and X of so many different compounds, spread evenly over all that can be."""
    import numpy as np

    both = cations()
    every = [(a, b, x) for a, b, x in product(both, both, ANIONS) if len({a, b, x}) == 3]
    return [every[k] for k in np.linspace(0, len(every) - 1, min(count, len(every))).round().astype(int)]


def formulas(count: int, rng: Any) -> list[list[tuple[str, int]]]:
    """Elements and their numbers in the formula, of two to five elements."""
    both = cations()
    found = []
    for size in rng.integers(1, 5, count):
        metals = rng.choice(both, size, replace=False).tolist()
        found.append([*((one, int(rng.integers(1, 4))) for one in metals), (str(rng.choice(ANIONS)), size + 2)])
    return found


def targets_of(kind: str, names: list[Any], rng: Any) -> Any:
    """Table of targets: an edge in Å that the elements' sizes give, with some scatter."""
    import numpy as np
    import pandas as pd

    from hirshprint.structures.elements import PROPERTIES, element_properties

    n = len(names)
    parts = [[(a, 1), (b, 1), (x, 3)] for a, b, x in names] if kind == "perovskites" else names
    formula = ["".join(f"{s}{k if k > 1 else ''}" for s, k in one) for one in parts]
    symbols = sorted({s for one in parts for s, _ in one})
    sizes = np.nan_to_num(element_properties(symbols)[1][:, PROPERTIES.index("atomic_radius_angstrom")], nan=1.4)
    size = dict(zip(symbols, sizes.tolist(), strict=True))
    value = np.array([np.mean([size[s] for s, _ in one]) for one in parts]) * 1.4 + 2.2 + rng.normal(0, 0.05, n)
    ids = [f"{f}-a4.50000" for f in formula] if kind == "perovskites" else [f"mp-{k:07d}" for k in range(n)]
    named = formula if kind == "perovskites" else [f"{f} ({i})" for f, i in zip(formula, ids, strict=True)]
    sites = {s: [one[k] for one in names] for k, s in enumerate("ABX")} if kind == "perovskites" else {}
    edge: Any = 4.5 if kind == "perovskites" else ""
    source = "table.csv row 2" if kind == "perovskites" else [f"structures/{i}.cif" for i in ids]
    first = {"structure_id": ids, "source": source, "compound": named, "group": formula, "formula": formula}
    last = {
        "initial_edge_angstrom": edge,
        "property": "a_angstrom",
        "unit": "Å",
        "value": value.round(4),
        "remarks": "",
    }
    return pd.DataFrame(first | sites | last)


def crystal(kind: str, row: dict[str, Any], rng: Any) -> Any:
    """The structure of a row: a cubic perovskite, or atoms of a formula at random in a cell of a fitting volume."""
    import re

    import numpy as np

    from hirshprint.structures.structure import Structure
    from hirshprint.structures.symbols import SYMBOLS

    one = np.eye(3, dtype=np.int64)[None]
    if kind == "perovskites":
        symbols = [row["A"], row["B"], row["X"]]
        lattice, labels, multiplicity = np.eye(3) * 4.5, ("A", "B", "X"), [1, 1, 3]
        frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    else:
        symbols = [s for s, k in re.findall(r"([A-Z][a-z]?)(\d*)", row["formula"]) for _ in range(int(k or 1))]
        places = rng.permutation(64)[: len(symbols)]  # of a grid, so that no two atoms are too near
        frac = (np.stack(np.unravel_index(places, (4, 4, 4)), axis=1) + rng.uniform(-0.1, 0.1, (len(places), 3))) / 4
        lattice = np.diag(rng.uniform(0.9, 1.1, 3)) * (16 * len(symbols)) ** (1 / 3)
        labels, multiplicity = tuple(f"{s}{k}" for k, s in enumerate(symbols)), [1] * len(symbols)
    numbers = np.repeat([SYMBOLS.index(s) + 1 for s in symbols], multiplicity)
    anions = np.isin(numbers, [SYMBOLS.index(x) + 1 for x in ANIONS])
    sites = np.cumsum([0, *multiplicity[:-1]])
    rest = {"multiplicity": np.array(multiplicity), "site_operations": (one,) * len(labels), "formula_units": 1}
    return Structure(row["structure_id"], lattice, numbers, frac, anions, sites, labels, **rest)


def write_counts(path: Path, kind: str, structures: list[Any], surfaces: list[Any], rng: Any) -> None:
    """Write fingerprints in the file's own layout."""
    import h5py
    import numpy as np

    from hirshprint.config.model import Fingerprint
    from hirshprint.files.reading import USER_BLOCK, seal_hdf5
    from hirshprint.fingerprints.binning import fingerprint_of
    from hirshprint.fingerprints.layout import ROWS_AT_ONCE, bin_edges

    kinds = ["total", "site", "inside"] if kind == "perovskites" else ["total", "inside"]
    settings = Fingerprint.from_dict({"channels": kinds})
    channels = ["total", "A", "B", "X", "anion", "cation"] if kind == "perovskites" else ["total", "anion", "cation"]
    known = np.array([fingerprint_of(one, settings, ("A", "B", "X"))[0] for one in surfaces])
    known = known if kind == "perovskites" else known[:, [0, -2, -1]]
    n, text = len(structures), h5py.string_dtype()
    sites = [label for one in structures for label in one.site_labels]
    with h5py.File(path, "w", userblock_size=USER_BLOCK) as file:
        file["ids"] = np.array([one.structure_id for one in structures], dtype=text)
        file["channels"] = np.array(channels, dtype=text)
        file["bin_edges_angstrom"] = bin_edges(settings.bins)
        file["in_range_fraction"] = np.ones((n, len(channels)))
        file["site_offsets"] = np.cumsum([0, *(len(one.site_labels) for one in structures)])
        file["site_labels"] = np.array(sites, dtype=text)
        file["site_multiplicity"] = np.concatenate([one.multiplicity for one in structures])
        file["site_area_angstrom2"] = rng.uniform(15, 40, len(sites))
        file["site_volume_angstrom3"] = rng.uniform(5, 25, len(sites))
        shape, chunk = (n, len(channels), 50, 50), (ROWS_AT_ONCE, 1, 50, 50)
        counts = file.create_dataset("counts", shape, np.float32, chunks=chunk, compression="gzip", shuffle=True)
        for start in range(0, n, ROWS_AT_ONCE):
            size = min(ROWS_AT_ONCE, n - start)
            block = moved(known, rng, size)
            if kind == "crystals":  # several kinds of sites
                block = (block + moved(known, rng, size) + moved(known, rng, size)) / 3
            counts[start : start + size] = block
        attributes = {"weighting": "area", "normalise": "formula_unit", "counts_unit": "Å² per formula unit"}
        attributes |= {"engine": "python", "density_source": "thakkar", "mesh_level": 10, "format_version": 2}
        file.attrs.update(attributes | {"definition_digest": "0" * 64})
    seal_hdf5(path)


def moved(known: Any, rng: Any, size: int) -> Any:
    """Some of the known fingerprints, each shifted along both axes by up to two bins and scaled bin by bin."""
    import numpy as np

    chosen = known[rng.integers(0, len(known), size)]
    for axis in (2, 3):
        share = rng.uniform(0, 2, size).astype(np.float32)[:, None, None, None]
        whole = np.floor(share)
        for step in (0, 1):
            rolled = np.roll(chosen, 1, axis=axis)
            part = np.clip(share - step, 0, 1) if step == 0 else (share - 1) * (whole == 1)
            chosen = chosen * (1 - part) + rolled * part
    noise = rng.normal(1, 0.03, chosen.shape).astype(np.float32)
    return (chosen * noise).astype(np.float32)


def predictions(kind: str, targets: Any, models: dict[str, float]) -> Iterator[Any]:
    """Tables of the predictions, one for each model and fold, from the truth and noise."""
    import numpy as np
    import pandas as pd

    from hirshprint.accuracy.predictions import COLUMNS, PARTS
    from hirshprint.datasets.folds import Fold
    from hirshprint.datasets.splits import divide

    rng = np.random.default_rng(SEED + 1)
    groups, compounds = targets["group"].to_numpy(str), targets["compound"].to_numpy(str)
    folds = divide("d", "random", groups.tolist(), None, FOLDS, 0, 0.15)
    rows = [[np.flatnonzero(np.isin(groups, sorted(getattr(one, part)))) for part in PARTS] for one in folds]
    true, ids = targets["value"].to_numpy(float), targets["structure_id"].to_numpy(str)
    noise = {model: error * rng.standard_t(4, len(true)) for model, error in models.items()}
    for model in models:
        for number, parts in enumerate(rows):
            fold = Fold(number, *parts)
            scale = np.ones(len(true))
            scale[fold.train] = 0.5
            of_fold, every = fold.parts(), np.concatenate(parts)
            named = kind != "perovskites" or model in ("cnn_paper", "cgcnn")
            fixed = {"dataset": kind, "model": model, "split": "random", "fold": number, "seed": "0"}
            part = np.repeat(list(of_fold), [len(one) for one in parts])
            text = {"structure_id": ids[every] if named else "", "compound": compounds[every]}
            unit = {"property": "a_angstrom", "unit": "Å"}
            values = {"true": true[every], "predicted": (true + scale * noise[model])[every], "std": np.nan}
            table = pd.DataFrame(fixed | {"part": part} | text | unit | values)
            yield table[list(COLUMNS)]


# --- the stages -------------------------------------------------------------------------------------------------------


def stages(folder: Path) -> dict[str, Callable[[], Any]]:
    """Make each stage of both datasets a function without arguments, in the order of the workflow."""
    found: dict[str, Callable[[], Any]] = {}
    for kind in KINDS:
        results = folder / "results" / kind
        of_kind = {
            "imports": lambda: __import__("hirshprint.report.page.write"),
            "cnn_paper": partial(train, results, "cnn_paper"),
            "cgcnn": partial(train, results, "cgcnn"),
            **({name: partial(train, results, name) for name in ("readout", "hybrid")} if kind == KINDS[0] else {}),
            "folder_card": partial(folder_card, results),
            **{
                name: partial(baseline, results, name) for name in (*BASELINES,) if kind == KINDS[0] or name in OF_FILES
            },
            "evaluate": partial(evaluate, results),
            "status": partial(status, results),
            "fingerprint_figures": partial(fingerprint_figures, results),
            "learning_figures": partial(learning_figures, results),
            "beyond": partial(beyond, results),
            "shown": partial(shown, results),
            "report": partial(report, folder, kind),
        }
        found |= {f"{kind}/{name}": call for name, call in of_kind.items()}
    return found


def train(results: Path, model: str) -> None:
    """Train one epoch of one fold, and predict with it, as `rule train` does."""
    from hirshprint.config.learning import Learning
    from hirshprint.datasets.folds import planned_splits
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.networks import trainer as training
    from hirshprint.networks.registry import needed_of_fingerprints
    from hirshprint.structures.structure import read_structures

    sites = ("A", "B", "X") if results.name == KINDS[0] else ()
    needed = needed_of_fingerprints([model], sites)
    dataset = load_dataset(results.name, results / "fingerprints.h5", results / "targets.csv", **needed)
    structures = read_structures(results / "structures.h5")
    say("loaded")
    plan = {"random": planned_splits(dataset, Learning.from_dict(LEARNING))["random"][:1]}
    training.planned_splits = lambda *_: plan
    progress = training.Progress.epoch

    def epoch(*given: Any) -> None:
        say("first epoch done")
        progress(*given)

    training.Progress.epoch = epoch
    cache = results.parent / "cache" / str(time.time_ns())
    learning = Learning.from_dict(LEARNING | {"networks": [model]})
    training.train_networks(dataset, structures, learning, cache, cache / "models", gpus=0, threads=1)


def say(what: str) -> None:
    """Print what was reached, with the CPU time and memory of the process until then."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"    {what}: {used.ru_utime + used.ru_stime:.0f} CPU s, {used.ru_maxrss / 1024:.0f} MB", flush=True)


def folder_card(results: Path) -> None:
    """Write what predictions need beside the networks."""
    from hirshprint.accuracy.predictions import read_predictions
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.networks.predict import write_folder_card

    dataset = load_dataset(results.name, results / "fingerprints.h5", results / "targets.csv", channels=())
    (results / "models").mkdir(exist_ok=True)
    table = read_predictions(results / "predictions_networks.csv")
    say("read")
    write_folder_card(results / "models", dataset, table, {}, results / "fingerprints.h5")


def baseline(results: Path, model: str) -> None:
    """Fit one baseline on one fold."""
    from hirshprint.baselines import composition as baselines
    from hirshprint.config.learning import Learning
    from hirshprint.datasets.folds import planned_splits
    from hirshprint.datasets.gather import load_dataset

    dataset = load_dataset(results.name, results / "fingerprints.h5", results / "targets.csv", channels=())
    plan = {"random": planned_splits(dataset, Learning.from_dict(LEARNING))["random"][:1]}
    baselines.planned_splits = lambda *_: plan
    say("loaded")
    baselines.predict_baselines(dataset, Learning.from_dict(LEARNING | {"baselines": [model]}), threads=1)


def script(name: str, results: Path, given: dict[str, Any], **made: Any) -> None:
    """Run a script of the workflow with files in the place of Snakemake's."""
    from types import SimpleNamespace

    path = Path(__file__).parents[1] / "workflow/scripts" / f"{name}.py"
    snakemake = SimpleNamespace(input=SimpleNamespace(**given), output=SimpleNamespace(**made), log=[os.devnull])
    exec(compile(path.read_text(), str(path), "exec"), {"snakemake": snakemake})


def evaluate(results: Path) -> None:
    """Join networks and baselines; compute the accuracy."""
    given = {"networks": results / "predictions_networks.csv", "baselines": results / "predictions_baselines.csv"}
    given["targets"] = results / "targets.csv"
    script("evaluate", results, given, predictions=results / "predictions.csv", metrics=results / "metrics.csv")


def status(results: Path) -> None:
    """Join the states of all structures, their batches' own left aside."""
    from hirshprint.status import merge_status, write_status

    rejected = results / "rejected.csv"
    rejected.write_text("structure_id,source,status,stage,reason,remedy\n")
    write_status(results / "status_made.csv", merge_status(rejected, results / "targets.csv", []))


def fingerprint_figures(results: Path) -> None:
    """Draw some fingerprints."""
    from hirshprint.report.figures.fingerprints import write_fingerprint_figures

    write_fingerprint_figures(results / "fingerprints.h5", results / "targets.csv", results / "figures")


def learning_figures(results: Path) -> None:
    """Draw parity, residuals and so on."""
    from hirshprint.report.figures.learned import write_learning_figures

    write_learning_figures(*(results / n for n in ("predictions.csv", "fingerprints.h5", "targets.csv", "figures")))


def beyond(results: Path) -> None:
    """Draw errors by element and distance and so on."""
    from hirshprint.report.figures.beyond import write_beyond

    write_beyond(*(results / n for n in ("predictions.csv", "targets.csv", "fingerprints.h5", "beyond")))


def shown(results: Path) -> None:
    """Choose the compounds that are shown in three dimensions; their surfaces are not gathered."""
    from hirshprint.report.page.shown_surfaces import write_shown_surfaces

    files = [results / name for name in ("predictions.csv", "fingerprints.h5", "targets.csv")]
    write_shown_surfaces(*files, [], [], results / "shown_made.npz")


def report(folder: Path, kind: str) -> None:
    """Write the page of one dataset."""
    from hirshprint.report.items import BEYOND_ITEMS, FINGERPRINT_ITEMS, LEARNING_ITEMS
    from hirshprint.report.page.inputs import dataset_inputs
    from hirshprint.report.page.summary import summary_lines
    from hirshprint.report.page.write import write_report

    items = (*LEARNING_ITEMS, *BEYOND_ITEMS, *FINGERPRINT_ITEMS)
    inputs = [dataset_inputs(folder / "results" / kind, items)]
    run: dict[str, Any] = {
        "title": f"Fingerprints of {kind}",
        "config": {"datasets": {kind: {}}},
        "versions": {"hirshprint": "0"},
    }
    run |= {"engine": "Python", "commit": "none", "digests": []}
    (folder / kind).mkdir(exist_ok=True)
    path = folder / kind / "report.html"
    write_report(inputs, run, path, CAPTIONS)
    say("page written")
    print("\n".join(summary_lines(inputs, run, path)), flush=True)


def run_stages(folder: Path, wanted: list[str]) -> None:
    """Run stages, one process after the other, and print what each took and left."""
    chosen = [name for name in stages(folder) if not wanted or any(part in name for part in wanted)]
    lines = [f"{'stage':34} {'peak MB':>8} {'CPU s':>8} {'output MB':>10}"]
    for name in chosen:
        print(f"-- {name}", flush=True)
        start = time.time()
        process = subprocess.Popen([sys.executable, __file__, "stage", str(folder), name])
        _, code, used = os.wait4(process.pid, 0)
        new = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime > start - 1]
        made = "" if "cache" in str(new) else f"{sum(path.stat().st_size for path in new) / 1e6:.1f}"
        failed = "" if code == 0 else f"   failed ({code})"
        lines.append(
            f"{name:34} {used.ru_maxrss / 1024:8,.0f} {used.ru_utime + used.ru_stime:8,.0f} {made:>10}{failed}"
        )
    print("\n".join(lines))


def main() -> None:
    """Make the datasets or run stages on them."""
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        make(Path(folder), int(rest[0]) if rest else 100_000)
    elif command == "run":
        run_stages(Path(folder), rest)
    else:
        stages(Path(folder))[rest[0]]()


if __name__ == "__main__":
    main()

"""Errors on the prescribed folds of benchmarks, of a run with config/matbench.yaml.

python benchmarks/matbench.py results/DATASET ...

Prints for each dataset a table of models (mean absolute test error of each fold, mean and standard deviation over the
folds, seconds of a training), and the difference that surfaces make. The figures of other programs are those of the
Matbench leaderboard (v0.1), of the same folds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.comparison import compare, surfaces_add
from hirshprint.accuracy.predictions import ENSEMBLE, main_split, read_compact
from hirshprint.accuracy.standing import headline_metrics, headline_rows

PUBLISHED = {  # mean and standard deviation over the folds of the mean absolute error, in the unit of the property
    "phonons": {"MegNet": (28.76, 2.58), "ALIGNN": (29.54, 2.11), "MODNet": (34.28, 2.08), "CGCNN": (57.76, 12.31)},
    "jdft2d": {"MODNet": (33.19, 7.34), "coGN": (37.17, 13.68), "ALIGNN": (43.42, 8.95), "CGCNN": (49.24, 11.59)},
    "perovskites": {
        **{"coGN": (0.0269, 0.0008), "ALIGNN": (0.0288, 0.0009), "SchNet": (0.0342, 0.0005)},
        **{"MegNet": (0.0352, 0.0016), "CGCNN": (0.0452, 0.0007), "MODNet": (0.0908, 0.0028)},
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, help="folders results/DATASET")
    for folder in parser.parse_args(arguments).results:
        show(folder)


def show(folder: Path) -> None:
    """Print the tables of one dataset."""
    predictions = read_compact(folder / "predictions.csv")
    split, unit = main_split(predictions), str(predictions["unit"].iloc[0])
    of_split = predictions[(predictions["split"] == split) & (predictions["part"] == "test")]
    test = headline_rows(of_split, split)
    logarithmic = "mae_log10" in (folder / "metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    seeds = of_split.loc[of_split["seed"].astype(str) != ENSEMBLE, "seed"].nunique()
    columns = [f"folds{' (mean of the seeds)' if seeds > 1 else ''}", "mean ± sd"]
    columns += ["each seed alone"] * (seeds > 1) + ["of log10"] * logarithmic + ["s a training"]
    print(f"\n{folder.name}, {unit}: {test['compound'].nunique():,} compounds tested, seeds: {seeds}\n")
    print(f"| model | sees | {' | '.join(columns)} |")
    print(f"|---|---|---|{'--:|' * (len(columns) - 1)}")
    for row in headline_metrics(predictions, split).to_dict("records"):
        name = str(row["model"])
        folds = by_fold(test[test["model"] == name])
        cells = [", ".join(shown(value) for value in folds), with_deviation(folds.mean(), folds.std())]
        if seeds > 1:
            alone = [by_fold(rows) for rows in seeds_alone(of_split[of_split["model"] == name])]
            each = np.mean(alone, axis=0) if len(alone) > 1 else None
            cells.append("" if each is None else with_deviation(each.mean(), each.std()))
        if logarithmic:
            log = by_fold(test[test["model"] == name], decades=True)
            cells.append(f"{log.mean():.4f} ± {log.std():.4f}")
        print(f"| `{name}` | {row['inputs']} | {' | '.join([*cells, seconds(folder, name)])} |")
    for name, (mean, sd) in PUBLISHED.get(folder.name, {}).items():
        print(f"| {name}, published | | | {with_deviation(mean, sd)} |{' |' * (len(columns) - 2)}")
    models = set(test["model"].astype(str))
    pairs = [compare(predictions, split, "contacts", other) for other in ("voronoi", "near_atoms") if other in models]
    for pair in dict.fromkeys(filter(None, [surfaces_add(predictions, split), *pairs])):
        print(
            f"\n{pair.model} - {pair.baseline}: {pair.difference:+.4g} ± {pair.half_width:.2g} {unit} (95 %), lower in "
            f"{pair.wins} of {pair.folds} folds"
        )


def by_fold(rows: pd.DataFrame, decades: bool = False) -> NDArray[np.float64]:
    """Mean absolute error of each fold, in the unit of the property or in decades of it."""
    predicted, true = rows["predicted"], rows["true"]
    error = np.log10(predicted.clip(lower=1e-9)) - np.log10(true) if decades else predicted - true
    return error.abs().groupby(rows["fold"].to_numpy()).mean().to_numpy()


def seeds_alone(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of one model, by seed, without their ensemble."""
    return [of_seed for seed, of_seed in rows.groupby("seed", observed=True) if str(seed) != ENSEMBLE]


def shown(value: float) -> str:
    """Three significant digits, and no more than four after the point."""
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}" if value >= 0.1 else f"{value:.4f}"


def with_deviation(mean: float, sd: float) -> str:
    """Both with the decimals of the mean."""
    text = shown(mean)
    return f"{text} ± {sd:.{len(text.partition('.')[2])}f}"


def seconds(folder: Path, model: str) -> str:
    """Median wall time of a training, from the cards of the models; empty for a baseline."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "models").glob(f"{model}-*-seed*.json")]
    return f"{np.median([card['seconds'] for card in cards]):.0f}" if cards else ""


if __name__ == "__main__":
    main()

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

from hirshprint.accuracy.comparison import compare, surfaces_add
from hirshprint.accuracy.predictions import main_split, read_compact
from hirshprint.accuracy.standing import headline_metrics, headline_rows

PUBLISHED = {  # mean and standard deviation over the folds of the mean absolute error, in the unit of the property
    "phonons": {"MegNet": (28.76, 2.58), "ALIGNN": (29.54, 2.11), "MODNet": (34.28, 2.08), "CGCNN": (57.76, 12.31)},
    "jdft2d": {"MODNet": (33.19, 7.34), "coGN": (37.17, 13.68), "ALIGNN": (43.42, 8.95), "CGCNN": (49.24, 11.59)},
    "perovskites": {"coGN": (0.0269, 0.0008), "ALIGNN": (0.0288, 0.0009), "CGCNN": (0.0452, 0.0007)},
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
    test = headline_rows(predictions, split)
    test = test[test["part"] == "test"]
    error = (test["predicted"] - test["true"]).abs()
    decades = (np.log10(test["predicted"].clip(lower=1e-9)) - np.log10(test["true"])).abs()
    logarithmic = "mae_log10" in (folder / "metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    print(f"\n{folder.name}, {unit}: {test['compound'].nunique():,} compounds tested\n")
    print("| model | sees | folds | mean ± sd |" + (" of log10 |" if logarithmic else "") + " s a training |")
    print("|---|---|---|--:|" + ("--:|" if logarithmic else "") + "--:|")
    for row in headline_metrics(predictions, split).to_dict("records"):
        of_model = test["model"] == row["model"]
        folds = error[of_model].groupby(test.loc[of_model, "fold"]).mean()
        figures = with_deviation(folds.mean(), folds.std(ddof=0))
        log = decades[of_model].groupby(test.loc[of_model, "fold"]).mean()
        more = f" {log.mean():.4f} ± {log.std(ddof=0):.4f} |" if logarithmic else ""
        each = ", ".join(shown(value) for value in folds)
        print(f"| `{row['model']}` | {row['inputs']} | {each} | {figures} |{more} {seconds(folder, row['model'])} |")
    for name, (mean, sd) in PUBLISHED.get(folder.name, {}).items():
        print(f"| {name}, published | | | {with_deviation(mean, sd)} |{' |' if logarithmic else ''} |")
    models = set(test["model"].astype(str))
    pairs = [compare(predictions, split, "contacts", other) for other in ("voronoi", "near_atoms") if other in models]
    for pair in dict.fromkeys(filter(None, [surfaces_add(predictions, split), *pairs])):
        print(
            f"\n{pair.model} - {pair.baseline}: {pair.difference:+.4g} ± {pair.half_width:.2g} {unit} (95 %), lower in "
            f"{pair.wins} of {pair.folds} folds"
        )


def shown(value: float) -> str:
    """Three significant digits, and no more than four after the point."""
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}" if value >= 0.1 else f"{value:.4f}"


def with_deviation(mean: float, sd: float) -> str:
    """Both with the decimals of the mean."""
    text = shown(mean)
    return f"{text} ± {sd:.{len(text.partition('.')[2])}f}"


def seconds(folder: Path, model: str) -> str:
    """Mean wall time of a training, from the cards of the models; empty for a baseline."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "models").glob(f"{model}-*-seed*.json")]
    return f"{np.mean([card['seconds'] for card in cards]):.0f}" if cards else ""


if __name__ == "__main__":
    main()

"""How much of the error of the best models is due to rows that every one of them misses.

python benchmarks/doubtful_rows.py results/DATASET ...

Of the test part of the random split (the ensemble over seeds, where there is one) a row counts as doubtful when all the
models `MODELS` are off by more than `LIMIT`: they see different things, so the row itself is the suspect. Nothing is
trained or chosen by it; every table of results keeps these rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hirshprint.accuracy.metrics import accuracy
from hirshprint.accuracy.predictions import ENSEMBLE, basis, read_predictions

MODELS = ("cgcnn", "hybrid", "readout", "mlp")
LIMIT = 0.1  # Å
NAMED = 8


def measure(folder: Path) -> None:
    """Print the errors of one dataset with and without its doubtful rows."""
    table = read_predictions(folder / "predictions.csv")
    table = table[(table["split"] == "random") & (table["part"] == "test") & table["model"].isin(MODELS)]
    joint = table["model"].isin(table.loc[table["seed"] == ENSEMBLE, "model"])
    table = table[~joint | (table["seed"] == ENSEMBLE)]
    table = table[basis(table) == "compound"]
    predicted = table.pivot_table(index=["fold", "compound"], columns="model", values="predicted")
    true = table.groupby(["fold", "compound"])["true"].first()
    error = predicted.sub(true, axis=0)
    doubtful = (error.abs() > LIMIT).all(axis=1)
    named = error[doubtful].mean(axis=1).sort_values(key=abs, ascending=False).droplevel("fold")
    worst = ", ".join(f"{name} {value:+.2f}" for name, value in named.head(NAMED).items())
    print(f"{folder.name}: {int(doubtful.sum())} of {len(true)} rows are missed by all of {', '.join(error)}")
    print(f"  by more than {LIMIT} Å (predicted - true, the largest): {worst}")
    print("  model     MAE, Å   of it from these   MAE without   r²      r² without")
    for model in error:
        every = accuracy(true.to_numpy(), predicted[model].to_numpy())
        rest = accuracy(true[~doubtful].to_numpy(), predicted.loc[~doubtful, model].to_numpy())
        due = float(error.loc[doubtful, model].abs().sum()) / len(true)
        line = f"  {model:8}  {every['mae']:.4f}   {due:.4f}             {rest['mae']:.4f}"
        print(f"{line}        {every['r2']:.4f}  {rest['r2']:.4f}")


def main() -> None:
    """Measure each folder."""
    if len(sys.argv) < 2:
        print("no folder was named, nothing is measured:", *(__doc__ or "").strip().splitlines()[2:3])
    for name in sys.argv[1:]:
        measure(Path(name))


if __name__ == "__main__":
    main()

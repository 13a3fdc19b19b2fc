"""The report: one HTML file that needs no network, and the five lines printed at the end of a run."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import markupsafe
import numpy as np
import pandas as pd
import yaml  # type: ignore[import-untyped,unused-ignore]

from hirshprint.accuracy.comparison import Comparison, comparisons
from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import main_split, plain, read_compact, read_targets
from hirshprint.accuracy.standing import (
    COMPOSITION,
    FINGERPRINT,
    best_model,
    headline_metrics,
    headline_rows,
    shown_model,
    with_sd,
    worst_rows,
)
from hirshprint.datasets.gather import curve_share
from hirshprint.files.reading import check_table, open_hdf5, reading
from hirshprint.files.writing import written_whole
from hirshprint.remarks import REMARKED, REMEDY, by_sentence, listed_names, split_remarks
from hirshprint.report.compounds import LISTED, colours, deflated, page_compounds
from hirshprint.report.engines import comparison_rows, read_comparison
from hirshprint.report.figures import display_unit, open_fingerprints, quantity, structure_of
from hirshprint.report.items import Item, caption
from hirshprint.report.render import COLOURS
from hirshprint.report.shown import read_shown_surfaces

# Table 1 of Williams, Mukherjee, Rajan, J. Phys. Chem. Lett. 2020, 11, 7462: test r², MAE in Å, MSE in Å².
PAPER = (
    ("CGCNN", "0.9483", "0.0402", "0.00402"),
    ("fingerprint + CNN, OQMD, random initial edge", "0.9745", "0.0333", "0.00198"),
    ("fingerprint + CNN, experimental, initial edge 4.5 Å", "0.9939", "0.0221", "0.00110"),
    ("CPANN", "0.9312", "0.0853", "0.01231"),
)
WORST_COUNT = 15
LISTED_STRUCTURES = 500
LISTED_ROWS = 200  # of a table among the items
LISTED_COMPOUNDS = 20_000  # of all datasets, on the page: where there are many, each has fewer
FEWEST_COMPOUNDS = 1_000  # of a dataset
TABLE_BYTES = 10_000_000  # of a table that the page holds as a file to download
LONG = 30  # characters, from which a column is kept wide
LEAST_SD = 5e-5  # a smaller standard deviation is not worth the digits that it would give the value
LEAK = 0.5  # correlation of initial edge and target above which the report warns


@dataclass(frozen=True)
class DatasetInputs:
    """Files of one dataset that the report reads.

    Attributes
    ----------
    name : name of the dataset.
    fingerprints, targets, status : files of ``results/<dataset>/``.
    predictions : the same; None where there was no property to learn.
    folder : ``results/<dataset>``, with the files of the items in their folders.
    items : figures and tables to show, in their order.
    surfaces : file that `shown.write_shown_surfaces` wrote; None if there is none.
    engines : folder with ``comparison.csv`` and ``comparison.svg``; None where the engines were not compared.
    predicted : table of the predictions of new compounds; None for a dataset that is learned from.
    screen : maps of a screening, or None.
    """

    name: str
    fingerprints: Path
    targets: Path
    status: Path
    predictions: Path | None
    folder: Path
    items: Sequence[Item] = ()
    surfaces: Path | None = None
    engines: Path | None = None
    predicted: Path | None = None
    screen: Path | None = None


def dataset_inputs(
    folder: Path,
    items: Sequence[Item] = (),
    compared: bool = False,
    predicted: bool = False,
    screened: bool = False,
) -> DatasetInputs:
    """Name the files of ``results/<dataset>/``; predictions belong to it if its targets have values.

    `items` are those to show, `compared` says whether this run compared the surface engines, `predicted` whether it
    predicted this dataset with the models of another, `screened` whether that was a screening.
    """
    targets = folder / "targets.csv"
    learned = bool(read_targets(targets)["value"].notna().any())
    return DatasetInputs(
        name=folder.name,
        fingerprints=folder / "fingerprints.h5",
        targets=targets,
        status=folder / "status.csv",
        predictions=folder / "predictions.csv" if learned else None,
        folder=folder,
        items=tuple(items),
        surfaces=folder / "shown_surfaces.npz",
        engines=folder / "engines" if compared else None,
        predicted=folder / "predicted.csv" if predicted else None,
        screen=folder / "screen.svg" if screened else None,
    )


def write_report(
    inputs: Sequence[DatasetInputs],
    run: Mapping[str, Any],
    path: str | Path,
    captions: Path,
    items: Sequence[Item] = (),
    results: Path = Path("results"),
) -> None:
    """Write the report of a run as one HTML file, whole or not at all.

    Parameters
    ----------
    inputs : files of each dataset.
    run : what `run.describe_run` returns.
    path : the file to write.
    captions : folder with the captions of the items.
    items, results : figures and tables of the whole run, and the folder that their own are in.
    """
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = lambda value: f"{value:,}"
    densities = run["config"].get("densities", "thakkar")
    settings = json.loads(json.dumps(run["config"], default=str))
    tables = {x.name: _tables(x.items, x.folder, x.name) for x in inputs} | {"": _tables(items, results)}
    compared = {f"{x.name}/engines": x.engines / "comparison.csv" for x in inputs if x.engines}
    screened = {f"{x.name}/screen": x.screen.with_suffix(".csv") for x in inputs if x.screen}
    paths = {key: path for found in (*tables.values(), compared, screened) for key, path in found.items()}
    held = {key: path for key, path in paths.items() if path.stat().st_size <= TABLE_BYTES}
    listed = min(LISTED, max(FEWEST_COMPOUNDS, LISTED_COMPOUNDS // max(1, len(inputs))))
    page = environment.from_string(_own_file("report.html.j2")).render(
        run=run,
        datasets=[_dataset(x, i + 1, captions, densities, listed) for i, x in enumerate(inputs)],
        items=_items(items, results, captions),
        settings=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True),
        files={key: deflated(path.read_bytes()) for key, path in held.items()},
        left_out={
            key: f"{path} ({path.stat().st_size / 1e6:,.0f} MB)" for key, path in paths.items() if key not in held
        },
        scales={"counts": colours("viridis"), "distance": colours(COLOURS)},
        style=markupsafe.Markup(_own_file("page.css")),
        script=markupsafe.Markup(_own_file("page.js")),
        plotly=deflated(get_plotlyjs().encode("utf-8")),
    )
    with written_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _own_file(name: str) -> str:
    return resources.files("hirshprint.report").joinpath(name).read_text(encoding="utf-8")


def summary_lines(inputs: Sequence[DatasetInputs], run: Mapping[str, Any], report: str | Path) -> list[str]:
    """Five lines for the terminal: structures, fingerprints, best model, comparison, where the report is."""
    structures, fingerprints, best, compared = [], [], [], []
    for item in inputs:
        counts = _status_counts(_read_status(item.status))
        told = [f"{n:,} {status}" for status, n in counts.items() if n or status != REMARKED]
        structures.append(f"{item.name}: {', '.join(told)}")
        fingerprints.append(f"{item.name}: {_surface_text(item.fingerprints)}")
        if item.predictions is None:
            best.append(f"{item.name}: {_no_model_text(item)}")
            continue
        predictions = read_compact(item.predictions)
        predictions = _headline(predictions, [main_split(predictions)])
        table = headline_metrics(predictions, main_split(predictions))
        best.append(f"{item.name}: {_model_text(_best_row(table))}, {_evaluation_text(predictions)}")
        compared.append(f"{item.name}: {_comparison_line(table)}")
    return [
        f"structures    {'; '.join(structures)}",
        f"fingerprints  {'; '.join(fingerprints)} ({run['engine']} engine)",
        f"best model    {'; '.join(best)}",
        f"compare with  {'; '.join(compared) or 'nothing was learned'}",
        f"report        {report}",
    ]


def _no_model_text(item: DatasetInputs) -> str:
    """Say of a dataset that nothing was learned from: what was predicted, or that there was nothing to learn."""
    if item.predicted is None:
        return "none, no property was given"
    found = _predicted(item.predicted, None)
    return f"{found['compounds']:,} compounds predicted, {found['outside']:,} of them outside of what training saw"


def _comparison_line(table: pd.DataFrame) -> str:
    best = _best_row(table)
    rows = [best_model(table, kind) for kind in (FINGERPRINT, COMPOSITION, ["nothing"])]
    names = {row["model"]: row for row in rows if row is not None and row["model"] != best["model"]}
    return ", ".join(_model_text(row, r2=False) for row in names.values()) or "no other model was trained"


def _model_text(row: dict[str, Any], r2: bool = True) -> str:
    text = f"{row['model']} MAE {with_sd(row['mae'], row['mae_sd'])} {display_unit(row['unit'])}"
    return f"{text}, r² {with_sd(row['r2'], row['r2_sd'])}" if r2 else text


def _evaluation_text(predictions: pd.DataFrame) -> str:
    split = main_split(predictions)
    folds = predictions.loc[predictions["split"] == split, "fold"].nunique()
    return f"test part of {folds} {split} fold{'' if folds == 1 else 's'}"


def _best_row(table: pd.DataFrame) -> dict[str, Any]:
    best = best_model(table)
    assert best is not None  # the model with the most compounds is always ranked
    return best


def _surface_text(path: Path) -> str:
    file = open_fingerprints(path)
    with open_hdf5(path, ("site_offsets",)) as source:
        surfaces = int(source["site_offsets"][-1])
    bins = len(file.edges) - 1
    shape = f"{len(file.channels)} × {bins} × {bins} bins"
    return f"{surfaces:,} surfaces, {len(file.rows):,} fingerprints of {shape}"


def _read_status(path: Path) -> pd.DataFrame:
    check_table(path, ("status", "reason", "stage"))
    with reading(path):
        return pd.read_csv(path, dtype="str", keep_default_na=False)


def _status_counts(status: pd.DataFrame) -> dict[str, int]:
    return {name: int((status["status"] == name).sum()) for name in ("ok", REMARKED, "failed", "rejected")}


def _remarks(status: pd.DataFrame, targets: pd.DataFrame) -> list[dict[str, Any]]:
    """Different remarks on the structures that were accepted with some, each with how many have it and the first."""
    rows = targets[targets["structure_id"].isin(status.loc[status["status"] == REMARKED, "structure_id"])]
    found = by_sentence(zip(rows["structure_id"], rows["remarks"].map(split_remarks), strict=True))
    return [{"sentence": text, "count": len(names), "structures": listed_names(names)} for text, names in found]


def _dataset(item: DatasetInputs, number: int, captions: Path, densities: str, listed: int) -> dict[str, Any]:
    """Collect all that the template shows of one dataset, as plain text and numbers; of its compounds `listed`."""
    targets, file = read_targets(item.targets), open_fingerprints(item.fingerprints)
    status = _read_status(item.status)
    counts = _status_counts(status)
    bad = status[~status["status"].isin(["ok", REMARKED, "filtered"])]
    remarks = _remarks(status, targets) if counts[REMARKED] else []
    filtered = status.loc[status["status"] == "filtered", "reason"].value_counts(sort=False)
    predictions = None if item.predictions is None else read_compact(item.predictions)
    splits = [] if predictions is None else _splits(predictions)
    headline = None if predictions is None else _headline(predictions, splits)
    surfaces = read_shown_surfaces(item.surfaces) if item.surfaces else {}
    explorer = page_compounds(targets, file, headline, splits, surfaces, densities, listed)
    learned: dict[str, Any] = {"property": ""}
    if predictions is not None and headline is not None:
        learned = _learned(item, headline, targets, splits) | {
            "all_metrics": _accuracy_rows(metrics(predictions[predictions["split"].isin(splits)]))
        }
    return {
        "name": item.name,
        "key": f"d{number}",
        "learned": item.predictions is not None,
        "counts": counts,
        "compounds": targets["compound"].nunique(),
        "fingerprints": len(file.rows),
        "surface_text": _surface_text(item.fingerprints),
        "missing_fingerprints": counts["ok"] + counts[REMARKED] - len(file.rows),
        "geometry": _geometry(targets),
        "bad": bad.head(LISTED_STRUCTURES).to_dict("records"),
        "bad_total": len(bad),
        "remarks": remarks[:LISTED_ROWS],
        "remarks_total": len(remarks),
        "remarks_remedy": REMEDY,
        "definition": _attributes(item.fingerprints),
        "explorer": explorer,
        "meshes": len(explorer["mesh_order"]),
        "engines": _engines(item.engines) if item.engines else None,
        "items": _items(item.items, item.folder, captions, item.name),
        "filters": [{"name": name, "rows": int(rows)} for name, rows in filtered.items()],
        "predicted": _predicted(item.predicted, item.screen) if item.predicted else None,
    } | learned


def _predicted(path: Path, screen: Path | None) -> dict[str, Any]:
    """Collect what the template shows of predictions of new compounds: how many, and those to be least sure of."""
    check_table(path)
    with reading(path):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    value = next(
        column for column in table.columns.astype(str) if column.removesuffix("_angstrom").endswith("_predicted")
    )
    std = value.replace("_predicted", "_std")
    spread = value.replace("_predicted", "_spread")
    order = table[[std, spread]].astype(float).sort_values([std, spread], ascending=False, kind="stable").index
    columns = {
        "value": value,
        "std": std,
        "spread": spread,
        "unseen": "unseen",
        "distance": "fingerprint_distance",
        "name": "name",
    }
    shown = table.loc[order[:WORST_COUNT]].rename(columns={column: name for name, column in columns.items()})
    return {
        "compounds": len(table),
        "outside": int((table["outside_domain"] == "True").sum()),
        "rows": shown[list(columns)].to_dict("records"),
        "columns": (value, std, spread),
        "map": _data_uri(screen) if screen else "",
    }


def _tables(items: Sequence[Item], results: Path, dataset: str = "") -> dict[str, Path]:
    """CSV files of the items by the name that the page gives them."""
    return {_table_name(item, dataset): item.files(results)["table"] for item in items}


def _table_name(item: Item, dataset: str) -> str:
    return f"{dataset}/{'-'.join(filter(None, [item.table or item.id, item.subject]))}"


def _items(items: Sequence[Item], results: Path, captions: Path, dataset: str = "") -> list[dict[str, Any]]:
    """Collect what the template shows of figures and tables, by category in the order of their first item."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        files = item.files(results)
        picture = _data_uri(files["figure"]) if "figure" in files else None
        key = "-".join(filter(None, [item.id, item.subject]))
        shown = {
            "id": key,
            "title": ": ".join(filter(None, [item.title, item.subject])),
            "caption": _paragraphs(caption(item, captions, dataset)),
            "picture": picture,
            "table": None if picture else _listed_table(files["table"]),
            "name": "-".join(filter(None, [dataset, key])),
            "file": _table_name(item, dataset),
        }
        groups.setdefault(item.category, []).append(shown)
    return [
        {"category": category, "key": re.sub(r"\W+", "-", category.lower()), "items": shown}
        for category, shown in groups.items()
    ]


def _listed_table(path: Path) -> dict[str, Any]:
    """Collect a table's columns (name, class: ``n`` of numbers, ``long`` of sentences) and cells (text, number).

    A column and its standard deviation, named the same with ``_sd``, become one.
    """
    check_table(path)
    with reading(path):
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    listed = table.head(LISTED_ROWS)
    columns, cells = [], []
    for name in [str(name) for name in table.columns]:
        if name.endswith("_sd") and name.removesuffix("_sd") in table.columns:
            continue
        numeric = pd.api.types.is_numeric_dtype(table[name])
        long = not numeric and listed[name].astype("str").str.len().max() > LONG
        columns.append((name.replace("_", " "), "n" if numeric else "long" if long else ""))
        spread = listed[f"{name}_sd"] if f"{name}_sd" in table.columns else np.full(len(listed), np.nan)
        pairs = zip(listed[name], spread, strict=True)
        cells.append([(_cell(value, sd), value if numeric and not pd.isna(value) else None) for value, sd in pairs])
    return {"columns": columns, "rows": list(zip(*cells, strict=True)), "total": len(table)}


def _cell(value: Any, sd: float) -> str:
    """Write a cell of a table; a number with its standard deviation where it has one, else with five digits."""
    if isinstance(value, str) or pd.isna(value):
        return "" if pd.isna(value) else value
    if sd > 0:
        return with_sd(value, sd) if sd >= LEAST_SD else f"{value:.4f} ± {sd:.1g}"
    return (f"{int(value):,}" if float(value).is_integer() else f"{value:.5g}").replace("-", "−")


def _paragraphs(text: str) -> list[markupsafe.Markup]:
    """Turn paragraphs with ``code``, *emphasis* and d_i or d_e into HTML; all else stands as it is."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        line = str(markupsafe.escape(" ".join(paragraph.split())))
        line = re.sub(r"``(.+?)``", r"<code>\1</code>", line)
        line = re.sub(r"\*(.+?)\*", r"<em>\1</em>", line)
        line = re.sub(r"\bd_([ie])\b", r"d<sub>\1</sub>", line)
        found.append(markupsafe.Markup(line))
    return found


def _engines(folder: Path) -> dict[str, Any]:
    """Collect what the template shows of the comparison of the surface engines."""
    table = read_comparison(folder / "comparison.csv")
    return {
        "structures": table["structure_id"].nunique(),
        "rows": comparison_rows(table),
        "figure": _data_uri(folder / "comparison.svg"),
    }


def _splits(predictions: pd.DataFrame) -> list[str]:
    """Names of the splits, the main one first, without those that only a learning curve is made of."""
    main = main_split(predictions)
    splits = [split for split in predictions["split"].unique() if curve_share(split) in (None, 1.0)]
    return sorted(splits, key=lambda x: (x != main, x))


def _headline(predictions: pd.DataFrame, splits: Sequence[str]) -> pd.DataFrame:
    """Test rows that the figures are computed from, of every split: far fewer than the table has."""
    rows = (headline_rows(predictions, split) for split in splits)
    return pd.concat([plain(of_split[of_split["part"] == "test"]) for of_split in rows])


def _learned(
    item: DatasetInputs, predictions: pd.DataFrame, targets: pd.DataFrame, splits: Sequence[str]
) -> dict[str, Any]:
    """Collect what the template shows of predictions and their accuracy."""
    split = splits[0]
    main = headline_metrics(predictions, split)
    best, shown = _best_row(main), shown_model(main)
    unit = display_unit(str(predictions["unit"].iloc[0]))
    return {
        "property": quantity(str(predictions["property"].iloc[0])),
        "unit": unit,
        "squared_unit": unit if unit == "dimensionless" else f"{unit}²" if unit.isalpha() else f"({unit})²",
        "split": split,
        "evaluation": _evaluation_text(predictions),
        "best": best | _accuracy_text(best),
        "fails": _failures(predictions, split, best),
        "comparisons": [_comparison_dict(x, unit) for x in comparisons(predictions, split)],
        "tables": [{"split": x, "rows": _accuracy_rows(headline_metrics(predictions, x))} for x in splits],
        "paper": PAPER if unit == "Å" else (),
        "shown_model": shown,
        "worst": _worst(predictions, targets, item, split, shown),
    }


def _comparison_dict(item: Comparison, unit: str) -> dict[str, Any]:
    interval = "" if np.isnan(item.half_width) else f" (95 % interval ± {item.half_width:.4f} {unit})"
    difference = f"{item.difference:+.4f} {unit}".replace("-", "−")
    return {**vars(item), "difference_text": difference + interval}


def _accuracy_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return [row | _accuracy_text(row) for row in rows]


def _accuracy_text(row: Mapping[str, Any]) -> dict[str, str]:
    shares = [row[f"within_{k}_std"] for k in (1, 2)]
    within = "none" if np.isnan(shares).any() else ", ".join(f"{100 * share:.0f}" for share in shares)
    texts = {f"{name}_text": with_sd(row[name], row[f"{name}_sd"]) for name in ("r2", "mae", "mse")}
    return texts | {"within_text": within}


def _geometry(targets: pd.DataFrame) -> dict[str, Any]:
    """Say how structures were built, and whether the geometry gives the target away."""
    edges = targets["initial_edge_angstrom"].dropna()
    learned = bool(targets["value"].notna().any())
    if edges.empty:
        text = "Structures were read from files, so fingerprints see the geometry given there."
        text += " A property that it fixes, such as the lattice parameter, is then read off and not predicted."
        return {"text": text, "warning": learned}
    if edges.nunique() == 1:
        text = f"Every structure was built with the same edge, {edges.iloc[0]:g} Å."
        return {"text": text, "warning": False}
    known = targets.dropna(subset=["initial_edge_angstrom", "value"])
    text = f"Structures were built with edges from {edges.min():.3g} to {edges.max():.3g} Å."
    if known["value"].nunique() < 2 or known["initial_edge_angstrom"].nunique() < 2:
        return {"text": text, "warning": False}
    r = float(np.corrcoef(known["initial_edge_angstrom"], known["value"])[0, 1])
    text += f" The edge's correlation with the property is {r:+.2f}.".replace("-", "−")
    leaks = abs(r) > LEAK
    text += " The initial edge gives part of the target away." if leaks else ""
    return {"text": text, "warning": leaks}


def _failures(predictions: pd.DataFrame, split: str, best: Mapping[str, Any]) -> dict[str, str]:
    """Say how large the test errors of a model are, where the largest is, and how good its error bars are."""
    rows = headline_rows(predictions, split)
    rows = rows[(rows["model"] == best["model"]) & (rows["part"] == "test")]
    error = rows["predicted"] - rows["true"]
    worst = error.abs().idxmax()
    within = [best[f"within_{k}_std"] for k in (1, 2)]
    bars = "It states none."
    if not np.isnan(within).any():
        bars = f"{100 * within[0]:.0f} % of its test errors are within one stated standard deviation, "
        bars += f"{100 * within[1]:.0f} % within two (68 and 95 would be right)."
    return {
        "half": f"{error.abs().median():.3g}",
        "twentieth": f"{error.abs().quantile(0.95):.3g}",
        "worst": str(rows.at[worst, "compound"]),
        "error": f"{error[worst]:+.3f}".replace("-", "−"),
        "bars": bars,
    }


def _worst(
    predictions: pd.DataFrame, targets: pd.DataFrame, item: DatasetInputs, split: str, model: str
) -> list[dict[str, Any]]:
    file = open_fingerprints(item.fingerprints)
    rows: Any = worst_rows(predictions, split, model, WORST_COUNT).itertuples()
    return [
        {
            "compound": row.compound,
            "structure": structure_of(row, targets, file) or "none",
            "fold": row.fold,
            "true": f"{row.true:.4f}",
            "predicted": f"{row.predicted:.4f}",
            "residual": row.residual,
            "std": "" if np.isnan(row.std) else f"{row.std:.4f}",
        }
        for row in rows
    ]


def _attributes(path: Path) -> list[tuple[str, str]]:
    """Read what defines the fingerprints: the file's attributes, in the order of their names."""
    with open_hdf5(path) as file:
        return [(name, str(file.attrs[name])) for name in sorted(file.attrs)]


def _data_uri(picture: Path) -> str:
    if picture.suffix == ".svg":  # as text, for base64 would be a third longer
        return "data:image/svg+xml," + quote(picture.read_text(encoding="utf-8"), safe=" !$()*+,-./:;=?@[]^_`{|}~")
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode("ascii")

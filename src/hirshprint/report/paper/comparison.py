"""The paper's numbers beside those of this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hirshprint.accuracy.standing import COMPOSITION, FINGERPRINT, best_model, headline_metrics, with_sd
from hirshprint.networks.registry import CGCNN, CNN_PAPER, OF_PAPER
from hirshprint.report.paper.published import FIGURE1, METRICS, PARAMETERS, ROLES, TABLE1
from hirshprint.report.paper.supporting_tables import estimated_edge_table
from hirshprint.report.paper.tables import (
    Tables,
    accuracy,
    model_here,
    overlap,
    parity_table,
    residual_table,
    short_with_sd,
)
from hirshprint.report.style import each


def comparison_table(tables: Mapping[str, Tables], limits: pd.DataFrame | None, layers: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the paper beside those of this run.

    Parameters
    ----------
    tables : mapping of str to Tables
        A dataset for each of `ROLES`.
    limits : DataFrame or None
        `one_compound_tables.surface_table` of `FIGURE1_COMPOUND`; None if it was not drawn.
    layers : DataFrame
        `network_layers` of the network of the paper.

    Returns
    -------
    DataFrame
        One row per number: where (in the paper), what, quantity, unit, paper, here, here_sd (over folds), folds, n,
        better (``paper``, ``here``, ``within sd``, or empty where nothing can be said), differs.
    """
    rows = [*_accuracy_of_table1(tables), *_best_here(tables), *_limits_of_figure1(limits)]
    total = int(layers["parameters"].sum())
    differs = "the layers of the authors' public repository"
    network = model_here(tables["oqmd"], CNN_PAPER)
    rows.append(_number("Fig. 2", f"network ({network})", "parameters", "", PARAMETERS, total, differs=differs))
    rows += [*_slopes(tables), *_three_datasets(tables), *_edges(tables)]
    return pd.DataFrame(rows)


def _number(where: str, what: str, quantity: str, unit: str, paper: float, here: Any, **more: Any) -> dict[str, Any]:
    """Row of `comparison_table`."""
    row = {"where": where, "what": what, "quantity": quantity, "unit": unit, "paper": paper, "here": here}
    return row | {"here_sd": np.nan, "folds": 0, "n": 0, "better": "", "differs": ""} | more


def _accuracy_rows(
    what: str, figures: Sequence[float], tables: Tables, model: str, differs: str
) -> list[dict[str, Any]]:
    """Rows for r², MAE and MSE of a model, which the paper's Table 1 has."""
    here = accuracy(tables, model)
    if here is None:
        missing = f"{model} was not trained in this run"
        return [_number("Table 1", what, "MAE", "Å", figures[1], np.nan, differs=missing)]
    if here["n"] > tables.targets["compound"].nunique():
        differs += "; each of a compound's edges counts"
    rows = []
    for (name, label, unit), paper in zip(METRICS, figures, strict=True):
        sd = here[f"{name}_sd"]
        more = {"here_sd": sd, "folds": here["n_folds"], "n": here["n"], "differs": differs}
        more["better"] = better(paper, here[name], sd, lower=name != "r2")
        rows.append(_number("Table 1", f"{what}: {model} on {tables.name}", label, unit, paper, here[name], **more))
    return rows


def _accuracy_of_table1(tables: Mapping[str, Tables]) -> Iterator[dict[str, Any]]:
    counts = {role: tables[role].targets["compound"].nunique() for role in ROLES}
    left_out = counts["oqmd"] - _of_split(tables["oqmd"])["compound"].nunique()
    oqmd = f"{counts['oqmd']:,} compounds, {left_out or 'nothing'} left out, against the paper's 5,250"
    oqmd += f"; {_division(tables['oqmd'])}"
    other = f"{counts['experimental']} compounds of another table than Kuzmanovski's"
    other += f"; {_division(tables['experimental'])}"
    for what, r2, mae, mse, role, model in TABLE1:
        yield from _accuracy_rows(
            what, (r2, mae, mse), tables[role], model_here(tables[role], model), oqmd if role == "oqmd" else other
        )


def _of_split(tables: Tables) -> pd.DataFrame:
    return tables.predictions[tables.predictions["split"] == tables.split]


def _division(tables: Tables) -> str:
    """Say how the compounds are divided, against the paper's one split."""
    folds = _of_split(tables)["fold"].nunique()
    return f"one split ({tables.split})" if folds == 1 else f"{folds} folds against one split"


def _best_here(tables: Mapping[str, Tables]) -> Iterator[dict[str, Any]]:
    for role in ("oqmd", "experimental"):
        ranking = headline_metrics(tables[role].predictions, tables[role].split)
        for words, kinds, of_paper in (
            ("fingerprint alone, best here", [FINGERPRINT[0]], {"oqmd": 1, "experimental": 2}[role]),
            ("composition alone, best here", COMPOSITION, {"oqmd": 1, "experimental": 3}[role]),
        ):
            best = best_model(ranking, kinds)
            if best is not None:
                paper = TABLE1[of_paper]
                text = f"against the paper's {paper[0]}"
                yield from _accuracy_rows(words, paper[1:4], tables[role], str(best["model"]), text)


def _limits_of_figure1(limits: pd.DataFrame | None) -> Iterator[dict[str, Any]]:
    whole = None if limits is None else limits[limits["site"] == "all"].iloc[0]
    text = "the surface itself, where the paper has the vertices of Tonto's grid" if whole is not None else "not drawn"
    for name, value in FIGURE1.items():
        here = np.nan if whole is None else float(whole[f"{name}_angstrom"])
        label = f"{'least' if name.endswith('min') else 'greatest'} {name[:3]}"
        yield _number("Fig. 1", "PuCuO3, a = 3.52582 Å", label, "Å", value, here, differs=text)


def _slopes(tables: Mapping[str, Tables]) -> Iterator[dict[str, Any]]:
    text = "the paper shows a figure; no number is at hand"
    for row in each(residual_table(tables["oqmd"], (CGCNN, *OF_PAPER))):
        more = {"here_sd": row.slope_sd, "folds": row.folds, "n": row.compounds, "differs": text}
        yield _number("Fig. 3", f"{row.model}: residual against true edge", "slope", "", np.nan, row.slope, **more)


def _three_datasets(tables: Mapping[str, Tables]) -> Iterator[dict[str, Any]]:
    for row in each(parity_table(tables, OF_PAPER)):
        text = f"in the place of {_place(str(row.role))}; no number of the paper's figure is at hand"
        if row.role == "second_experimental":
            shared, size = overlap(tables["experimental"], tables["second_experimental"])
            text += f"; {shared} of its {size} compounds are in {tables['experimental'].name} too"
        what = f"{row.model} on {row.dataset}, {row.part}"
        more = {"here_sd": row.r2_sd, "folds": row.folds, "n": row.rows, "differs": text}
        yield _number("Fig. 5", what, "r²", "", np.nan, row.r2, **more)
        yield _number("Fig. 5", what, "MAE", "Å", np.nan, row.mae, **(more | {"here_sd": row.mae_sd}))


def _edges(tables: Mapping[str, Tables]) -> Iterator[dict[str, Any]]:
    other = "the paper's edge is OQMD's before relaxation, no longer published"
    for row in each(estimated_edge_table(tables["oqmd"], tables["estimated_edge"])):
        if row.model in (*OF_PAPER, CGCNN):
            text = "" if row.initial_edge == "random" else other
            more = {"here_sd": row.mae_sd, "folds": row.folds, "n": row.compounds, "differs": text}
            what = f"{row.model}, initial edge {row.initial_edge}"
            yield _number("SI", what, "MAE", "Å", np.nan, row.mae, **more)


def _place(role: str) -> str:
    return {
        "oqmd": "the paper's OQMD set",
        "experimental": "Kuzmanovski's table",
        "second_experimental": "Sidey's table",
    }[role]


def better(paper: float, here: float, sd: float, lower: bool) -> str:
    """Say which number is better: ``within sd`` where they differ by no more than the sd over folds."""
    if np.isfinite(sd) and abs(here - paper) <= sd:
        return "within sd"
    return "here" if (here < paper) == lower else "paper"


def markdown(table: pd.DataFrame) -> str:
    """Write the comparison as a Markdown table."""
    heads = ("where", "what", "quantity", "paper", "here", "folds", "n", "better", "what differs")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|---|--:|--:|--:|--:|---|---|"]
    last = None
    for row in each(table):
        quantity = f"{row.quantity}, {row.unit}" if isinstance(row.unit, str) and row.unit else str(row.quantity)
        here = with_sd(row.here, row.here_sd) if row.unit == "Å²" else short_with_sd(row.here, row.here_sd)
        cells = (
            row.where,
            row.what,
            quantity,
            _with_thousands(row.paper, f"{row.paper:.5f}" if row.unit == "Å²" else f"{row.paper:.4f}"),
            _with_thousands(row.here, here),
            str(row.folds or ""),
            f"{row.n:,}" if row.n else "",
            row.better if isinstance(row.better, str) else "",
            "″" if row.differs and row.differs == last else row.differs if isinstance(row.differs, str) else "",
        )
        last = row.differs
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _with_thousands(value: float, text: str) -> str:
    """A number as its text; a large whole one, such as a count of weights, with thousands marked; nothing for NaN."""
    if np.isnan(value):
        return ""
    return f"{int(value):,}" if float(value).is_integer() and abs(value) >= 1000 else text

"""Which regions of the fingerprint a prediction comes from, and where on the surfaces these are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.densities import Densities, read_densities
from hirshprint.networks.saliency import Explanation, influence
from hirshprint.report.fingerprint_file import FingerprintFile, open_fingerprints
from hirshprint.report.fingerprint_panel import common_limits, draw_fingerprint, frame_fingerprint, root_norm
from hirshprint.report.pictures.render import SIGNED
from hirshprint.report.pictures.signed_sites import SiteImages, signed_images
from hirshprint.report.style import STYLE, display_unit, in_unit, message_figure, with_unit, write_item
from hirshprint.structures.structure import Structure, read_structures


def write_saliency(
    explanations: Sequence[Explanation],
    fingerprints: str | Path,
    structures: str | Path,
    densities: str | Path | None,
    unit: str,
    folder: str | Path,
) -> None:
    """Write the files of `items.SALIENCY` for one dataset.

    Parameters
    ----------
    explanations : sequence of Explanation
        One per compound.
    fingerprints, structures : str or Path
        Files of ``results/<dataset>/``.
    densities : str or Path or None
        Free-atom densities; where None, nothing is drawn on surfaces.
    unit : str
        Unit of the property.
    folder : str or Path
        Where the files go.
    """
    file = open_fingerprints(fingerprints)
    crystals = {
        one.structure_id: one for one in read_structures(Path(structures), [e.structure_id for e in explanations])
    }
    surfaces = [SiteImages([], 0.0) for _ in explanations]
    if densities is not None and explanations:
        atoms = read_densities(densities)
        surfaces = [drawn_influence(crystals[one.structure_id], atoms, one, file.edges) for one in explanations]
    figure = saliency(explanations, surfaces, file.edges, display_unit(unit), file.unit)
    write_item(folder, "saliency", contribution_table(explanations, file, unit), figure)


def contribution_table(explanations: Sequence[Explanation], file: FingerprintFile, unit: str) -> pd.DataFrame:
    """What each bin that is not empty contributes.

    Returns
    -------
    DataFrame
        One row per structure and bin: structure_id, d_i_angstrom, d_e_angstrom (its centre), counts, counts_unit,
        contribution, unit, missed (what the contributions of the structure's bins miss of the difference of the two
        predictions, where the integration did not end within its tolerance; else 0).
    """
    centres = (file.edges[1:] + file.edges[:-1]) / 2
    columns = (
        "structure_id",
        "d_i_angstrom",
        "d_e_angstrom",
        "counts",
        "counts_unit",
        "contribution",
        "unit",
        "missed",
    )
    parts = []
    for one in explanations:
        i, e = np.nonzero(one.counts)
        place = {"structure_id": one.structure_id, "d_i_angstrom": centres[i], "d_e_angstrom": centres[e]}
        values = {"counts": one.counts[i, e], "counts_unit": file.unit, "contribution": one.contributions[i, e]}
        parts.append(pd.DataFrame(place | values | {"unit": unit, "missed": one.missed}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def drawn_influence(
    structure: Structure, densities: Densities, explanation: Explanation, edges: NDArray[np.float64]
) -> SiteImages:
    """Render the surface of each distinct site, coloured by what it adds to the prediction.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Free-atom densities of its elements.
    explanation : Explanation
        What each bin of its fingerprint adds.
    edges : ndarray of float64, (b + 1,), Å
        Edges of the bins.

    Returns
    -------
    SiteImages
        Their strongest value is in the unit of `saliency.influence`.
    """
    return signed_images(structure, densities, lambda _, mesh: influence(explanation, edges, mesh.d_i, mesh.d_e))


def saliency(
    explanations: Sequence[Explanation],
    surfaces: Sequence[SiteImages],
    edges: NDArray[np.float64],
    unit: str,
    counts_unit: str,
) -> Figure:
    """Draw a row per compound: its fingerprint, what each bin of it contributes, and that on its surfaces.

    Parameters
    ----------
    explanations : sequence of Explanation
        One per row of the figure.
    surfaces : sequence of SiteImages
        What `drawn_influence` gives for each explanation.
    edges : ndarray of float64, (b + 1,), Å
        Edges of the bins.
    unit, counts_unit : str
        Unit of the property, and of the fingerprint.
    """
    if not explanations:
        return message_figure("no compound was explained: the log says why")
    panel, image, left, head, below, bar, gap = 2.2, 1.75, 0.62, 0.85, 0.55, 1.0, 0.35
    most = max(len(images) for images, _ in surfaces)
    width = left + 2 * (panel + bar) + gap + (most * image + bar if most else 0)
    height = len(explanations) * (head + panel + below)
    limits = common_limits([e.counts for e in explanations] + [e.contributions for e in explanations], edges)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")
        for number, (one, (images, strongest)) in enumerate(zip(explanations, surfaces, strict=True)):
            top = number * (head + panel + below)

            def axes(x: float, w: float, h: float, down: float = 0.0, top: float = top) -> Any:
                """Place axes by their left edge, size and distance below the heading of the row, in inches."""
                y = height - top - head - down - h
                return figure.add_axes((x / width, y / height, w / width, h / height))

            style: dict[str, Any] = {"fontsize": 9.5, "parse_math": False, "va": "center"}
            figure.text(left / width, 1 - (top + 0.25) / height, _heading(one, unit), **style)
            place = axes(left, panel, panel)
            norm = root_norm(one.counts)
            mesh = draw_fingerprint(place, one.counts, edges, limits, norm)
            place.set(xlabel="dᵢ (Å)", ylabel="dₑ (Å)", title="fingerprint")
            figure.colorbar(mesh, cax=axes(left + panel + 0.1, 0.12, panel)).set_label(f"{counts_unit} per bin")
            x = left + panel + bar + gap
            place = axes(x, panel, panel)
            reach = float(np.abs(one.contributions).max()) or 1.0
            style = {"cmap": SIGNED, "norm": Normalize(-reach, reach), "rasterized": True}
            mesh = place.pcolormesh(edges, edges, np.ma.masked_equal(one.contributions.T, 0), **style)
            frame_fingerprint(place, limits)
            on_surface = float(one.contributions[one.counts > 0].sum())
            absent = float(one.contributions.sum()) - on_surface
            sums = f"its surface {on_surface:+.3f}, what it lacks {absent:+.3f}".replace("-", "−")
            place.set(xlabel="dᵢ (Å)", title=with_unit(sums, unit))
            scale = figure.colorbar(mesh, cax=axes(x + panel + 0.1, 0.12, panel))
            scale.set_label(in_unit("contribution per bin", unit))
            x += panel + bar
            for name, picture in images:
                place = axes(x, image, image, (panel - image) / 2)
                place.imshow(picture, interpolation="lanczos")
                place.axis("off")
                place.set_title(name, fontsize=8)
                x += image
            if images:
                colours = ScalarMappable(Normalize(-strongest, strongest), SIGNED)
                place = axes(x + 0.1, 0.12, image, (panel - image) / 2)
                per_area = f"{unit or 'contribution'} per {counts_unit.split(' per ')[0]}"
                figure.colorbar(colours, cax=place).set_label(per_area)
    return figure


def _heading(one: Explanation, unit: str) -> str:
    """What was predicted, and what the contributions miss where they do not add up."""
    told = f"{one.structure_id}: true {one.true:.3f}, predicted {with_unit(f'{one.predicted:.3f}', unit)}; "
    missed = f"; the contributions miss the difference by {one.missed:.2g}" if one.missed else ""
    return f"{told}the mean fingerprint gives {with_unit(f'{one.reference:.3f}', unit)}{missed}"

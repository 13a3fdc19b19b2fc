"""The network of contacts on the faces of Voronoi cells in place of patches of surfaces: what surfaces add to it.

Everything is as in `contacts`, but what the surfaces alone can tell: a face lies half-way, so d_i and d_e are half the
distance and do not spread, whatever the elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hirshprint.config.learning import Voronoi
from hirshprint.datasets.contacts import SiteContacts
from hirshprint.datasets.gather import Dataset, DatasetError, in_order
from hirshprint.fingerprints.contact_layout import Contacts, contact_begins
from hirshprint.networks.contacts import RECIPE, apply_graphs, cell_volumes, learn_graphs
from hirshprint.networks.interface import Applied, Source
from hirshprint.networks.site_graphs import SiteGraphs, contact_graphs
from hirshprint.structures.structure import Structure
from hirshprint.structures.voronoi import Faces, OpenCellError, voronoi_faces

__all__ = ["RECIPE", "apply", "learn"]


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Voronoi) -> Source:
    """Learn from the Voronoi cells of each compound, at the initial edges that `contacts` learns from.

    Raises
    ------
    DatasetError
        A structure of the dataset is missing, or has a cell that is not closed.
    """
    return learn_graphs(dataset, _graphs(dataset, structures), settings.features)


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the graphs of a dataset to be predicted."""
    return apply_graphs(card, dataset, _graphs(dataset, structures))


def _graphs(dataset: Dataset, structures: Sequence[Structure]) -> SiteGraphs:
    of_rows = in_order(dataset, structures)
    try:
        cells = face_contacts(of_rows)
    except OpenCellError as error:
        raise DatasetError(f"{error}; leave voronoi out of learning: networks:") from None
    return contact_graphs(cells, cell_volumes(of_rows))


def face_contacts(structures: Sequence[Structure]) -> SiteContacts:
    """Faces of the Voronoi cells of structures, in the form of contacts: those of one site at one distance are one.

    Raises
    ------
    OpenCellError
        A cell is not closed.
    """
    cells = [faces for structure in structures for faces in voronoi_faces(structure)]
    found = [_merged(faces) for faces in cells]
    sites, distances, areas, atoms = (np.concatenate(column) for column in zip(*found, strict=True))
    halves = np.repeat(distances[:, None] / 2, 2, axis=1).astype(np.float32)
    return SiteContacts(
        site_offsets=np.cumsum([0, *(len(one.site_atom) for one in structures)]),
        numbers=np.concatenate([one.numbers[one.site_atom] for one in structures]),
        multiplicities=np.concatenate([one.multiplicity for one in structures]),
        areas=np.array([area.sum() for _, _, area, _ in found]),
        volumes=np.array([faces.volume for faces in cells]),
        open_fractions=np.zeros(len(cells)),
        contact_offsets=np.cumsum([0, *(len(one[0]) for one in found)]),
        contacts=Contacts(
            sites=sites.astype(np.int32),
            atoms=atoms.astype(np.int32),
            distances=distances.astype(np.float32),
            areas=areas.astype(np.float32),
            means=halves,
            deviations=np.zeros_like(halves),
            least=distances.astype(np.float32),
            histograms=np.empty((0, 0, 0), np.float16),
        ),
    )


def _merged(faces: Faces) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sites, distances, areas and numbers of the faces, those of one site at one distance together."""
    order = np.lexsort((faces.distances, faces.sites))
    sites, distances = faces.sites[order], faces.distances[order]
    begins = contact_begins(sites, distances)
    counts = np.diff([*begins, len(sites)])
    return sites[begins], distances[begins], np.add.reduceat(faces.areas[order], begins), counts

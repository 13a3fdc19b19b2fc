"""The part of the configuration's model that says what is learned, and how (light): see `hirshprint.config.model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hirshprint.config.keys import Section, key, part

START_FROM = """Folder of models of an earlier run, `results/DATASET/models`, of whose network of the same name the
    trainings start: one that learned from thousands of computed crystals helps where few are measured. Seed 0 starts
    from the one of lowest validation error, seed 1 from the next. Its layers and what it sees must be the same. Empty:
    random weights."""
FEATURES = "Numbers that each site has inside the network; 128 for ten thousand crystals."
START_NOTE = "folder of models of another dataset to start from; empty: random weights"


@dataclass(frozen=True, kw_only=True)
class CnnPaper(Section):
    """The paper's convolutional network, for thousands of compounds; 1,400 epochs need a GPU."""

    epochs: int = key(1400, "Epochs of a training; the paper's authors have 1400.", minimum=1)
    batch_size: int = key(300, "Structures per step.", minimum=1)
    learning_rate: float = key(0.001, "Step size of Adam.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class CnnPaperSmall(Section):
    """The small network of the paper's authors, for a hundred compounds."""

    epochs: int = key(300, "Epochs of a training.", minimum=1)
    batch_size: int = key(32, "Structures per step.", minimum=1)
    learning_rate: float = key(0.003, "Largest step size of Adam.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class Cnn(Section):
    """The convolutional network of many edges."""

    epochs: int = key(200, "Epochs of a training.", minimum=1)
    batch_size: int = key(16, "Compounds per step.", minimum=1)
    learning_rate: float = key(0.002, "Largest step size of Adam.", above=0)
    channels: Literal["auto", "total"] = key(
        "auto",
        """Which fingerprints it sees. `auto`: those of the sites, or where these have no names the total one and those
        of anions and cations. `total`: the total one alone, which the paper's network sees.""",
        note="auto: those of the sites; total: what the paper's network sees",
    )
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class Readout(Section):
    """The network that reads elements off fingerprints; it needs the channels `site`."""

    epochs: int = key(60, "Epochs of a training.", minimum=1)
    batch_size: int = key(128, "Compounds per step.", minimum=1)
    learning_rate: float = key(0.01, "Largest step size of Adam.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class Hybrid(Section):
    """The network of elements, properties and fingerprints; it needs the channels `site`."""

    epochs: int = key(120, "Epochs of a training.", minimum=1)
    batch_size: int = key(128, "Compounds per step.", minimum=1)
    learning_rate: float = key(0.005, "Largest step size of Adam.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class Cgcnn(Section):
    """The crystal-graph convolutional network."""

    epochs: int = key(100, "Epochs of a training.", minimum=1)
    batch_size: int = key(16, "Structures per step.", minimum=1)
    learning_rate: float = key(0.005, "Largest step size of Adam.", above=0)
    radius_angstrom: float = key(5.0, "Atoms this near are neighbours, Å; whole shells, never a fixed number.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class OfContacts(Section):
    """Keys that the network of contacts and its company share."""

    epochs: int = key(150, "Epochs of a training.", minimum=1)
    batch_size: int = key(64, "Compounds, or files, per step.", minimum=1)
    learning_rate: float = key(0.01, "Largest step size of Adam.", above=0)
    features: int = key(64, FEATURES, minimum=8)
    start_from: str = key("", START_FROM, note=START_NOTE)


@dataclass(frozen=True, kw_only=True)
class Contacts(OfContacts):
    """The network of contacts: sites, and the patches of their surfaces by the site that they face."""


@dataclass(frozen=True, kw_only=True)
class Voronoi(OfContacts):
    """The network of contacts on the faces of Voronoi cells: what surfaces add is the difference of the two."""


@dataclass(frozen=True, kw_only=True)
class NearAtoms(OfContacts):
    """The network of contacts on all atoms up to a radius, as crystal graphs usually have them."""

    radius_angstrom: float = key(5.0, "Atoms this near are neighbours, Å.", above=0)


@dataclass(frozen=True, kw_only=True)
class ElementsAlone(OfContacts):
    """The network of contacts without contacts: what the composition tells by itself."""


@dataclass(frozen=True, kw_only=True)
class Learning(Section):
    """Networks and baselines, all on the same splits by compound."""

    splits: list[Literal["random", "groups", "leave-A-out", "leave-B-out", "holdout", "paper"]] = key(
        ["random"],
        """Ways to divide the compounds. `random`: k-fold. `groups`: a fold for each group of the dataset (`group`),
        such as the folds that a benchmark prescribes. `leave-A-out`, `leave-B-out`: k-fold over the elements of a
        site, so that a test fold has elements that training never saw. `holdout`: one fold, which tests a fixed list.
        `paper`: the one fold of the paper's authors, 70 % to train and 30 % to test, without validation, drawn from
        the rows in their order; of `a_angstrom` those above 5 Å are left out.""",
        note="random, groups, leave-A-out, leave-B-out, holdout, paper",
    )
    holdout: list[str] = key([], "Compounds that the split `holdout` tests, as the table names them.")
    learning_curve: list[float] = key(
        [],
        """Shares of the training parts of the split `random` to train on too, with the first seed, for a curve of error
        against training size.""",
        above=0,
        maximum=1,
        note="shares of the training parts to train on too, such as [0.1, 0.25, 0.5]",
    )
    saliency: list[str] = key(
        [],
        """Compounds for which the report shows what regions of their fingerprints `cnn_paper` predicts them from, and
        which contacts `contacts` does, as the table names them; those at the 0.1, 0.5 and 0.9 quantiles of the property
        where none is named.""",
        note="compounds whose predictions are explained; [] takes three across the range",
    )
    folds: int = key(5, "Folds of each split.", minimum=2)
    seeds: list[int] = key(
        [0],
        "Random seeds; every network, and the baseline mlp, is trained once per fold and seed.",
        minimum=0,
        maximum=2**32 - 1,
    )
    validation_fraction: float = key(
        0.15,
        """Share of the compounds outside the test fold that is kept for validation (choice of settings), not trained
        on.""",
        above=0,
        maximum=0.5,
        note="of the compounds outside the test fold, never trained on",
    )
    networks: list[
        Literal[
            "cnn_paper",
            "cnn_paper_small",
            "cnn",
            "readout",
            "cgcnn",
            "contacts",
            "voronoi",
            "near_atoms",
            "elements_alone",
            "hybrid",
        ]
    ] = key(
        ["cnn_paper_small", "cnn", "cgcnn", "contacts"],
        """Networks to train. `cnn_paper`: the paper's, on the total fingerprint at one initial edge, for thousands of
        compounds and a GPU. `cnn_paper_small`: the one of its authors for a hundred compounds. `cnn`: learns from
        fingerprints at all initial edges, and to name the elements beside the property. `readout`: reads the elements
        off the fingerprints of the sites, at all initial edges, and learns from what it read. `cgcnn`: the crystal
        graph at one initial edge, or at all where each compound has its own. `contacts`: the graph of the contacts of
        the surfaces, for any crystals; `voronoi`: the same network on the faces of Voronoi cells;
        `near_atoms`: the same with all atoms up to a radius; `elements_alone`: the same without any neighbours.
        `hybrid`: elements, their properties and fingerprints together.""",
        note="also readout and hybrid, for thousands of compounds",
    )
    baselines: list[
        Literal[
            "mean",
            "ridge",
            "gradient_boosting",
            "mlp",
            "svr",
            "grnn",
            "cpann",
            "bond_lengths",
            "verma",
            "gaussian_process",
            "gradient_boosting_fingerprint",
        ]
    ] = key(
        [
            "mean",
            "ridge",
            "gradient_boosting",
            "mlp",
            "svr",
            "grnn",
            "cpann",
            "bond_lengths",
            "verma",
            "gaussian_process",
            "gradient_boosting_fingerprint",
        ],
        """Baselines to fit on the same folds; they see the composition, the last two the fingerprint. `ridge`: additive
        in the elements. `gradient_boosting`, `svr` (support vectors), `grnn` (kernel regression) and `cpann`
        (counter-propagation network): on element properties. `mlp`: a vector per element and site, trained once per
        seed. `bond_lengths` and `verma`: formulas of ionic radii and charges, coefficients fitted on the training part;
        for edges of ABX3 only, and compounds whose ions are not tabulated are left out. `gaussian_process`: on
        quantiles of d_i and d_e of the fingerprints, for hundreds of compounds. `gradient_boosting_fingerprint`: on
        these and on element properties.""",
    )
    cnn_paper: CnnPaper = part(CnnPaper)
    cnn_paper_small: CnnPaperSmall = part(CnnPaperSmall)
    cnn: Cnn = part(Cnn)
    readout: Readout = part(Readout)
    hybrid: Hybrid = part(Hybrid)
    cgcnn: Cgcnn = part(Cgcnn)
    contacts: Contacts = part(Contacts)
    voronoi: Voronoi = part(Voronoi)
    near_atoms: NearAtoms = part(NearAtoms)
    elements_alone: ElementsAlone = part(ElementsAlone)
    gpus: Literal[0, 1] = key(
        1,
        "GPUs that the training job asks for; 0 asks for none.",
        note="that the training job asks for; 0 asks for none",
    )
    require_gpu: bool = key(
        False,
        "Stop when training finds no GPU, instead of training on the CPU.",
        note="true: stop when training finds no GPU",
    )
    tensorboard: bool = key(
        False,
        "Write losses and learning rates of the trainings to `logs/DATASET/tensorboard`, for TensorBoard.",
        note="true: write logs/DATASET/tensorboard",
    )

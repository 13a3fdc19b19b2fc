"""What `docs/extending.md` says of additions, done to a copy of the repository: each in the files that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

from projects import ROOT

TOY_NETWORK = '''"""A network of one layer that sees how the area of a fingerprint is spread over d_i."""

from __future__ import annotations

import numpy as np

from hirshprint.datasets.gather import first_rows
from hirshprint.networks.backend import keras
from hirshprint.networks.interface import Applied, Fitted, Recipe, Source, array_digest

RECIPE = Recipe()


def _profiles(dataset):
    """Total fingerprints (n, b) summed over d_e."""
    return np.asarray(dataset.counts[:, dataset.channels.index("total")], dtype=np.float32).sum(axis=2)


def _build(bins):
    profile = keras.Input(shape=(bins,), name="profile")
    return keras.Model([profile], keras.layers.Dense(1)(profile), name="toy")


def learn(dataset, structures, settings):
    """Learn from the profiles of the first initial edge of each compound."""
    profiles, rows = _profiles(dataset), first_rows(dataset)

    def inputs_of(train):
        scale = float(profiles[train].std()) or 1.0
        return Fitted(lambda asked: (profiles[asked] / np.float32(scale),), {"divided_by": scale}, {})

    return Source(rows, False, inputs_of, lambda: _build(profiles.shape[1]), array_digest(profiles[rows]))


def apply(card, folder, dataset, structures):
    """Make the profiles of a dataset to be predicted, scaled as in training."""
    profiles, rows = _profiles(dataset), first_rows(dataset)
    return Applied(rows, lambda asked: (profiles[rows[asked]] / np.float32(card["divided_by"]),))
'''
TOY_SECTION = '''@dataclass(frozen=True, kw_only=True)
class Toy(Section):
    """A network of one layer."""

    epochs: int = key(20, "Epochs of a training.", minimum=1)
    batch_size: int = key(8, "Structures per step.", minimum=1)
    learning_rate: float = key(0.01, "Largest step size of Adam.", above=0)
    start_from: str = key("", START_FROM, note=START_NOTE)


'''
TOY_ENGINE = '''"""An engine whose surfaces are those of the bundled one at mesh level 4."""

from __future__ import annotations

from hirshprint.densities import read_densities
from hirshprint.hirshfeld.engines import OpenEngine
from hirshprint.hirshfeld.python.engine import compute_surfaces


def open_toy(config, files):
    """Open the engine with the densities of a run."""
    densities = read_densities(files["densities"])
    return OpenEngine(lambda structure: compute_surfaces(structure, densities, 4), lambda structure: "toy 4")
'''
TOY_ENTRY = """TOY = Engine(
    name="toy",
    title="Toy",
    opened_by="hirshprint.hirshfeld.toy:open_toy",
    algorithm="1",
    settings=lambda config: ["toy", config.densities, versions.DENSITIES, "1"],
    resolution=lambda surfaces: 4,
    resolution_name="level",
    cache_name=lambda config: "toy1",
    seconds_per_site=lambda surfaces: 1e-3,
    mb_per_site=lambda surfaces: 0.1,
    minutes=lambda surfaces, structures, expected_minutes: 10,
)

"""
TOY_FIGURE = '''"""How large the errors of the models are: one line for each model."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from hirshprint.report.style import STYLE


def error_curve(test):
    """Draw the sorted sizes of the test errors of each model."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        for model, rows in test.groupby("model"):
            axes.plot(sorted((rows["predicted"] - rows["true"]).abs()), label=model)
        axes.legend()
    return figure
'''


def copy_of_the_repository(folder: Path) -> Path:
    """Copy what a run needs."""
    for name in ("workflow", "src", "config", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / ".venv-densities").symlink_to(ROOT / ".venv-densities")
    return folder


def _insert(path: Path, before: str, text: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(before) == 1, (path, before, content.count(before))
    path.write_text(content.replace(before, text + before), encoding="utf-8")


def _replace(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, (path, old, content.count(old))
    path.write_text(content.replace(old, new), encoding="utf-8")


def add_network(root: Path) -> None:
    """A module, an entry of the registry, a section and a word of the configuration."""
    library = root / "src/hirshprint"
    (library / "networks/toy.py").write_text(TOY_NETWORK, encoding="utf-8")
    entry = '        Network(name="toy", sees="fingerprint", channel="total", images=("total",), one_edge=True),\n'
    _insert(library / "networks/registry.py", "        Network(name=READOUT,", entry)
    learning = library / "config/learning.py"
    _insert(learning, "@dataclass(frozen=True, kw_only=True)\nclass Learning(Section):", TOY_SECTION)
    _replace(
        learning,
        '        Literal[\n            "cnn_paper",\n',
        '        Literal[\n            "toy",\n            "cnn_paper",\n',
    )
    _insert(learning, "    cnn_paper: CnnPaper = part(CnnPaper)\n", "    toy: Toy = part(Toy)\n")


def add_engine(root: Path) -> None:
    """A module, an entry of the registry, a word of the configuration."""
    library = root / "src/hirshprint"
    (library / "hirshfeld/toy.py").write_text(TOY_ENGINE, encoding="utf-8")
    _insert(library / "hirshfeld/registry.py", "ENGINES = {engine.name", TOY_ENTRY)
    _replace(library / "hirshfeld/registry.py", "for engine in (PYTHON, TONTO)}", "for engine in (PYTHON, TONTO, TOY)}")
    _replace(
        library / "config/model.py",
        'engine: Literal["auto", "tonto", "python"]',
        'engine: Literal["auto", "tonto", "python", "toy"]',
    )


def add_figure(root: Path) -> None:
    """A module that draws it, a line that writes it, an item and a caption."""
    report = root / "src/hirshprint/report"
    (report / "figures/error_curve.py").write_text(TOY_FIGURE, encoding="utf-8")
    learned = report / "figures/learned.py"
    _insert(
        learned,
        "from hirshprint.report.figures.parity",
        "from hirshprint.report.figures.error_curve import error_curve\n",
    )
    _insert(
        learned,
        '    write_item(folder, "residuals"',
        '    write_item(folder, "error_curve", test, error_curve(test))\n',
    )
    item = '    Item("error_curve", "Sorted errors", "Accuracy"),\n'
    _insert(report / "items.py", '    Item("residuals"', item)
    (root / "workflow/report/error_curve.rst").write_text("Sizes of the test errors, sorted.\n", encoding="utf-8")


def add_channel(root: Path) -> None:
    """A kind of channel and a word of the configuration."""
    library = root / "src/hirshprint"
    entry = (
        '    "heavy": Kind(lambda labels: ("heavy",), lambda surface: "heavy" if surface.inside_number > 20 else ""),\n'
    )
    _insert(library / "fingerprints/layout.py", '    "inside": Kind(', entry)
    _replace(
        library / "config/model.py",
        'list[Literal["total", "site", "inside"]]',
        'list[Literal["total", "site", "inside", "heavy"]]',
    )

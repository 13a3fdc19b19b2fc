"""What a run consists of: stages, batches, digests, inputs, results and resources, without Snakemake."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hirshprint import versions
from hirshprint.config.load import resolve_config
from hirshprint.config.model import Config, Dataset
from hirshprint.files.reading import sealed_json
from hirshprint.hirshfeld.registry import COMPARED, ENGINES, PYTHON, TONTO, Engine, engine_named, engines_used
from hirshprint.networks.cards import CARD, ModelError, check_starts, fingerprint_definition, training_digests
from hirshprint.report.cost import read_stages
from hirshprint.run import digests, inputs, planned, resources, results
from hirshprint.run.plan import RunPlan, answer_for_jobs, batches, kept, sites, structures_in

ROWS = ("SrTiO3,Sr,Ti,O,3.905", "BaTiO3,Ba,Ti,O,4.0", "KMgF3,K,Mg,F,3.99", "CaTiO3,Ca,Ti,O,3.84")
SURFACES = {"engine": "python", "structures_per_job": 1}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("\n".join(["formula,A,B,X,a_angstrom", *ROWS]) + "\n")


def _run(rows: tuple[str, ...] = ROWS, **changes: Any) -> RunPlan:
    Path("table.csv").write_text("\n".join(["formula,A,B,X,a_angstrom", *rows]) + "\n")
    written = {"datasets": {"small": {"table": "table.csv"}}, "surfaces": SURFACES} | changes
    config = Config.from_dict(resolve_config(written, []))
    return RunPlan(config, planned.read_inputs(config).plans)


def _all(run: RunPlan) -> dict[str, str]:
    of = (digests.of_input, digests.of_fingerprints, digests.of_shown, digests.of_learning)
    return {function.__name__: function(run, "small") for function in of} | {
        f"batch {name}": digests.of_batch(run, "small", name) for name in batches(run, "small")
    }


def _changed(run: RunPlan, other: RunPlan) -> set[str]:
    one, two = _all(run), _all(other)
    return {name.partition(" ")[0] for name in one.keys() & two.keys() if one[name] != two[name]}


def test_digests_change_with_what_determines_a_stage_and_with_nothing_else() -> None:
    run = _run()
    assert _changed(run, _run()) == set()
    assert _changed(run, _run(report={"compounds": ["SrTiO3"]}, compounds={"SrTiO3": 3.9})) == set()
    assert _changed(run, _run(learning={"gpus": 1, "saliency": ["SrTiO3"]})) == set()
    assert _changed(run, _run(learning={"folds": 2})) == {"of_learning"}
    measured = ("SrTiO3,Sr,Ti,O,3.91", *ROWS[1:])
    assert _changed(run, _run(measured)) == {"of_input", "of_shown", "of_learning"}
    assert _changed(run, _run(ROWS[:3])) == {"of_input", "of_fingerprints", "of_shown", "of_learning"}
    every = {"of_fingerprints", "of_shown", "of_learning", "batch"}
    assert _changed(run, _run(surfaces=SURFACES | {"mesh_level": 8})) == every
    assert _changed(run, _run(fingerprint={"weighting": "paper"})) == every


def test_a_time_limit_gives_failures_another_chance_only_where_it_counts() -> None:
    tonto = {"binary": "/nowhere/tonto", "time_limit_seconds": 5}
    run, more = (
        _run(surfaces=SURFACES | {"engine": "tonto", "tonto": tonto | {"time_limit_seconds": limit}})
        for limit in (5, 9)
    )
    assert _changed(run, more) == {"batch"}
    assert _changed(_run(), _run(surfaces=SURFACES | {"tonto": {"time_limit_seconds": 9}})) == set()
    assert inputs.surface_files(run, "small")["probe"] == inputs.PROBE_FILE
    assert "densities" not in inputs.surface_files(run, "small")
    assert inputs.PROBE_FILE in results.all_results(run)


def test_what_is_kept_is_asked_once_and_taken_by_jobs() -> None:
    asked = []

    @kept
    def answer(run: RunPlan, name: str) -> str:
        asked.append(name)
        return f"of {name}"

    run = _run()
    assert [answer(run, "a"), answer(run, "a"), answer(run, "b")] == ["of a", "of a", "of b"]
    assert asked == ["a", "b"]
    job = RunPlan(run.config, answers=run.answers)
    assert answer(job, "a") == "of a"
    assert asked == ["a", "b"]
    with pytest.raises(KeyError):
        job.plan("small")


def test_jobs_load_no_plan() -> None:
    """What the head process hands to its jobs has none of the structures, however many there are."""
    run = _run()
    _all(run)
    answer_for_jobs(run)
    inputs.surfaces_of(run, "small")
    assert b"Entry" not in pickle.dumps(run.answers)


def test_resources_grow_with_work_and_attempt() -> None:
    run = _run()
    batch = next(iter(batches(run, "small")))
    assert structures_in(run, "small") == 4
    assert structures_in(run, "small", batch) == 1
    assert sites(run, "small") == pytest.approx(4 * 3 / 8)
    assert resources.surface_mb(run, "small", batch, 2) > resources.surface_mb(run, "small", batch, 1)
    assert resources.surface_minutes(run, 1, 0) == 20
    assert resources.surface_minutes(run, 1, 1e6) == 20 + 10 * 100
    tonto = _run(surfaces=SURFACES | {"engine": "tonto"})
    assert resources.surface_minutes(tonto, 1000, 30) == 10 + 300 + 5
    assert resources.surface_minutes(tonto, 2, 0) == 10 + 10


def test_results_follow_the_configuration() -> None:
    names = set(results.all_results(_run()))
    assert "results/densities/thakkar.h5" in names
    assert inputs.PROBE_FILE not in names
    assert "results/small/predictions.csv" in names
    assert not any("learning_curve" in name for name in names)
    assert any("learning_curve" in name for name in results.all_results(_run(learning={"learning_curve": [0.5]})))
    assert inputs.PROBE_FILE in results.all_results(_run(surfaces=SURFACES | {"compare_structures": 2}))
    assert not any("saliency" in name for name in results.all_results(_run(learning={"networks": ["cgcnn"]})))
    explained = [name for name in results.all_results(_run(learning={"networks": ["contacts"]})) if "saliency" in name]
    assert [name.split("/beyond/")[1] for name in explained] == ["contact_saliency.svg", "contact_saliency.csv"]


def test_cost_waits_for_every_stage_that_it_states(tmp_path: Path) -> None:
    """A benchmark of each stage is read; what the stage makes, or what is made from it, is waited for."""
    made = {
        "structures": "targets.csv",
        "surface": "fingerprints.h5",
        "compare_engines": "engines/comparison.csv",
        "fingerprints": "fingerprints.h5",
        "train": "predictions.csv",
        "baselines": "predictions.csv",
        "evaluate": "predictions.csv",
        "fingerprint_figures": "figures/fingerprint_examples.svg",
        "learning_figures": "figures/parity.svg",
        "shown_surfaces": "shown_surfaces.npz",
        "predict": "predicted.csv",
    }
    rules = Path(__file__).parents[2].joinpath("workflow/rules").glob("*.smk")
    text = "".join(path.read_text(encoding="utf-8") for path in rules)
    benchmarks = tmp_path / "benchmarks"
    for rule in [line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule ")]:
        path = benchmarks / "small" / (f"{rule}/one.tsv" if rule == "surface" else f"{rule}.tsv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\tmax_rss\tcpu_time\n1.0\t2.0\t3.0\n")
    stated = {stage["rule"] for stage in read_stages(benchmarks, tmp_path, ["small"])}
    assert stated == set(made)
    run = _run(surfaces=SURFACES | {"compare_structures": 2})
    waited = results.measured_stages(run)
    for rule in stated - {"predict"}:
        assert f"results/small/{made[rule]}" in waited
    predicted = {"small": run.config.datasets["small"], "new": Dataset.from_dict({"elements": {}, "model": "small"})}
    assert "results/new/predicted.csv" in results.measured_stages(RunPlan(replace(run.config, datasets=predicted)))


def test_faults_of_the_input_are_told_with_the_dataset() -> None:
    written = {"datasets": {"gone": {"table": "gone.csv", "source": "the moon"}, "small": {"table": "table.csv"}}}
    read = planned.read_inputs(Config.from_dict(resolve_config(written, [])))
    assert list(read.plans) == ["small"]
    assert "`datasets.gone`: gone.csv" in read.faults["gone"][0]
    assert "the moon" in read.faults["gone"][0]
    assert planned.faults_text({"gone": ["one", "two"]}).splitlines()[1:] == ["  - one", "  - two"]


def test_engines_answer_for_themselves() -> None:
    config = _run(surfaces=SURFACES | {"mesh_level": 12, "compare_structures": 1}).config
    assert engine_named("python") is PYTHON
    assert engines_used(config) == list(COMPARED) == [PYTHON, TONTO]
    assert PYTHON.resolution_text(config.surfaces) == "mesh_level 12"
    assert TONTO.resolution_text(config.surfaces) == "separation_bohr 0.15 bohr"
    assert len({engine.cache_name(config) for engine in ENGINES.values()}) == len(ENGINES)
    with pytest.raises(ValueError, match="there is no surface engine crystalexplorer; there are python, tonto"):
        engine_named("crystalexplorer")


def test_another_engine_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = replace(PYTHON, name="toy", title="Toy", needs=(), settings=lambda config: ["toy", "1"])
    assert isinstance(toy, Engine)
    monkeypatch.setitem(ENGINES, "toy", toy)
    run = _run()
    other = RunPlan(replace(run.config, surfaces=replace(run.config.surfaces, engine="toy")), run.plans)  # type: ignore[arg-type]
    assert other.engine is toy
    assert inputs.surface_files(other, "small") == {"structures": "results/small/structures.h5"}
    assert _changed(run, other) == {"of_fingerprints", "of_shown", "of_learning", "batch"}
    assert "results/densities/thakkar.h5" not in results.all_results(other)


def _starting(folder: str, **more: Any) -> RunPlan:
    own = {"learning": {"cgcnn": {"start_from": folder}} | more}
    return _run(datasets={"small": {"table": "table.csv"}, "later": {"table": "table.csv"} | own})


def _models(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("json", "keras"):
        (folder / f"cgcnn-random-fold0-seed0.{ending}").write_text(text)


def test_trainings_wait_for_models_of_the_same_run_and_for_no_others() -> None:
    run = _starting("results/small/models")
    assert inputs.start_folders(run, "later") == ["results/small/models"]
    assert inputs.start_folders(run, "small") == []
    assert inputs.start_folders(_starting(str(Path("results/small/models").resolve())), "later") != []
    assert inputs.start_folders(_starting("elsewhere/models"), "later") == []
    assert inputs.start_folders(_starting("results/small/models", networks=["cnn_paper"]), "later") == []


def test_other_models_to_start_from_are_another_training() -> None:
    """Of the same run: another training of theirs. Of an earlier run: other content of the network that is trained."""
    of = {start: digests.of_learning(_starting(start), "later") for start in ("", "results/small/models", "old")}
    assert len(set(of.values())) == 3
    learning = {"learning": {"cgcnn": {"epochs": 7}}}
    datasets = {"small": {"table": "table.csv"} | learning, "later": {"table": "table.csv"}}
    datasets["later"]["learning"] = {"cgcnn": {"start_from": "results/small/models"}}
    other = _run(datasets=datasets)
    datasets["small"] = {"table": "table.csv"}
    assert digests.of_learning(other, "later") != digests.of_learning(_run(datasets=datasets), "later")
    _models(Path("old"), "one")
    found = [digests.of_learning(_starting("old"), "later")]
    (Path("old") / "readout-random-fold0-seed0.keras").write_text("of another network")
    found.append(digests.of_learning(_starting("old"), "later"))
    assert found[0] == found[1] != of["old"]
    _models(Path("old"), "two, and of another size")
    assert digests.of_learning(_starting("old"), "later") != found[0]


def _old_models() -> dict[str, Any]:
    """Make the folder ``old`` with one training of cnn_paper, and give what its own card says of it."""
    Path("old").mkdir()
    stem = "cnn_paper-paper-fold0-seed0"
    unit = {"model": "cnn_paper", "fold": 0, "seed": 0, "target_mean": 0.0, "target_sd": 1.0, "inputs": {}}
    (Path("old") / f"{stem}.json").write_text(json.dumps(sealed_json(unit)), encoding="utf-8")
    trainings = training_digests(Path("old"))
    # without validation: it can be started from, though not predicted with
    return {
        "format": versions.MODEL_FORMAT,
        "split": "paper",
        "validation_mean_absolute_error": {},
        "trainings": trainings,
    }


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("results/later/models", "of dataset later would wait for themselves; write it under `datasets"),
        ("elsewhere", "cgcnn: start_from: elsewhere: no model.json in it; name the folder results/DATASET"),
        ("old", "start_from: old has no cgcnn, only cnn_paper; train it there first"),
    ],
)
def test_what_cannot_be_started_from_is_said_at_once(folder: str, message: str) -> None:
    card = _old_models()
    (Path("old") / CARD).write_text(json.dumps(sealed_json(card)), encoding="utf-8")
    with pytest.raises(ModelError, match=re.escape(message)):
        check_starts(_starting(folder).config)


def test_a_ring_of_datasets_that_start_from_each_other_is_refused() -> None:
    starts = {"small": "later", "later": "other", "other": "small"}
    datasets = {
        name: {"table": "table.csv", "learning": {"cgcnn": {"start_from": f"results/{start}/models"}}}
        for name, start in starts.items()
    }
    with pytest.raises(ModelError, match="of dataset small would wait for themselves"):
        check_starts(_run(datasets=datasets).config)
    datasets["other"]["learning"] = {"networks": ["cnn_paper"]}
    with pytest.raises(ModelError, match="results/other/models: dataset other trains no cgcnn; add it to its"):
        check_starts(_run(datasets=datasets).config)


def test_fingerprints_of_the_models_that_are_started_from_are_those_of_the_run() -> None:
    own = {"networks": ["cnn_paper"], "cnn_paper": {"start_from": "old"}}
    config = _run(surfaces=SURFACES, learning=own).config
    surfaces, fingerprint = config.surfaces.written(), config.fingerprint.written()
    card = fingerprint_definition({}, surfaces, config.densities, fingerprint | {"channels": ["total"]})
    card |= _old_models()
    for change, message in (
        ({}, ""),
        ({"weighting": "paper"}, "fingerprint.weighting is paper in the model, here area"),
    ):
        changed = card | {"fingerprint": card["fingerprint"] | change}
        (Path("old") / CARD).write_text(json.dumps(sealed_json(changed)), encoding="utf-8")
        if message:
            with pytest.raises(ModelError, match=message):
                check_starts(config)
        else:
            check_starts(config)

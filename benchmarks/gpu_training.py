"""What a GPU gains in training, and whether it gives the same numbers twice and those of the CPU.

python benchmarks/gpu_training.py results/experimental     (a dataset of cubic perovskites made by a run)

Trains the default networks with the settings of config/config.yaml on the GPU and the CPU at once, each on cores of its
own, then twice more on the GPU to compare predictions; then all networks for a few epochs on many copies of the
crystals, with the settings of config/paper.yaml; and times single steps. An epoch is the median of all, with its share
of validation; the first epoch of a network, in which TensorFlow builds it, stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
NETWORKS = ["cnn_paper", "cgcnn"]
ALL = [*NETWORKS, "readout", "hybrid"]
STEP_NETWORKS = ["cnn_paper", "cgcnn", "hybrid"]
STEP_BATCHES = (16, 64, 256)
STEPS = 20
LOAD = ["nvidia-smi", "--query-gpu=name,utilization.gpu,memory.used,power.draw", "--format=csv,noheader,nounits"]


def settings(copies: int, epochs: int) -> dict[str, Any]:
    """The section `learning`: for the crystals once that of config.yaml, for many copies that of paper.yaml."""
    learning = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["learning"]
    learning |= {"networks": NETWORKS if copies == 1 else ALL}
    if copies > 1:
        paper = yaml.safe_load((ROOT / "config/paper.yaml").read_text(encoding="utf-8"))["learning"]
        learning |= {name: learning[name] | paper.get(name, {}) | {"epochs": epochs} for name in ALL}
        learning |= {"folds": 2}
    return learning


def inputs(folder: Path, copies: int) -> tuple[Any, list[Any]]:
    """The dataset of a folder of results and its structures, as often as asked for, each copy a compound."""
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.datasets.splits import SITES
    from hirshprint.networks.registry import needed_of_fingerprints
    from hirshprint.structures.structure import read_structures

    needed = needed_of_fingerprints(ALL, SITES)
    dataset = load_dataset(folder.name, folder / "fingerprints.h5", folder / "targets.csv", **needed)
    structures = read_structures(folder / "structures.h5")
    if copies == 1:
        return dataset, list(structures)
    rows = np.tile(np.arange(len(dataset.targets)), copies)
    tail = np.char.add("-", np.repeat(np.arange(copies), len(dataset.targets)).astype(str))
    arrays = ("formulas", "initial_edges", "targets", "draws", "counts", "moments")
    names = ("structure_ids", "compounds", "groups")
    many = replace(
        dataset,
        elements={site: symbols[rows] for site, symbols in dataset.elements.items()},
        **{name: getattr(dataset, name)[rows] for name in arrays},
        **{name: np.char.add(getattr(dataset, name)[rows], tail) for name in names},
    )
    by_id = {one.structure_id: one for one in structures}
    found = dataset.structure_ids[rows].tolist()
    return many, [
        replace(by_id[old], structure_id=new) for old, new in zip(found, many.structure_ids.tolist(), strict=True)
    ]


def train(asked: dict[str, Any]) -> dict[str, Any]:
    """Train as asked in this process and say how long each epoch took."""
    from hirshprint.config.learning import Learning
    from hirshprint.networks import trainer as training
    from hirshprint.networks.progress import Progress

    spent: dict[str, list[float]] = {}

    class Clock(Progress):
        """Notes the time of every epoch."""

        def __init__(self, model: str, units: Any, device: str):
            super().__init__(model, units, device)
            self.last = time.monotonic()

        def epoch(self, unit: Any, epoch: int, mse: float) -> None:
            now = time.monotonic()
            spent.setdefault(unit.model, []).append(now - self.last)
            super().epoch(unit, epoch, mse)
            self.last = time.monotonic()

        def finished(self, unit: Any, trained: Any) -> None:
            super().finished(unit, trained)
            self.last = time.monotonic()

    training.Progress = Clock  # type: ignore[misc]
    training.tf.config.experimental.enable_tensor_float_32_execution(asked["tf32"])
    dataset, structures = inputs(Path(asked["folder"]), asked["copies"])
    learning, folder = settings(asked["copies"], asked["epochs"]), Path(asked["out"])
    options = {"gpus": asked["gpus"], "require_gpu": bool(asked["gpus"]), "threads": asked["threads"]}
    start = time.monotonic()
    table = training.train_networks(
        dataset, structures, Learning.from_dict(learning), folder / "cache", folder / "models", **options
    )
    seconds = time.monotonic() - start
    table.to_pickle(folder / "predictions.pkl")
    rows = len(dataset.targets) * (learning["folds"] - 1) / learning["folds"] * (1 - learning["validation_fraction"])
    steps = {name: int(np.ceil(rows / learning[name]["batch_size"])) for name in learning["networks"]}
    return {"spent": spent, "steps": steps, "seconds": seconds, "rows": len(dataset.targets), "peak_mb": _peak_mb()}


def steps(asked: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds of a step of each network for each size of batch, waited for or not, compiled by XLA or not."""
    from hirshprint.config.learning import Learning
    from hirshprint.datasets.folds import make_splits
    from hirshprint.networks.backend import prepare_device, tf
    from hirshprint.networks.interface import module_of, settings_of
    from hirshprint.networks.training import Trainer

    prepare_device(asked["gpus"], bool(asked["gpus"]), asked["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(asked["inter"])
    dataset, structures = inputs(Path(asked["folder"]), 10)
    learning = Learning.from_dict(settings(1, 1))
    scaled = ((dataset.targets - dataset.targets.mean()) / dataset.targets.std()).astype(np.float32)
    fold = make_splits(dataset, "random", 5, 0, 0.15)[0]
    found: dict[str, Any] = {}
    for name in asked["networks"]:
        source = module_of(name).learn(dataset, structures, settings_of(learning, name))
        make = source.inputs_of(np.intersect1d(fold.train, source.rows))[0]
        trainer = Trainer(source.build, module_of(name).RECIPE)
        trainer.reset(0)
        step = trainer.step
        if asked["xla"]:
            step = tf.function(trainer._step, input_signature=step.input_signature, autograph=False, jit_compile=True)
        for size in asked["batches"]:
            batch, targets = list(make(source.rows[:size])), scaled[source.rows[:size]]
            held = [tf.constant(one) for one in batch]
            try:
                for _ in range(3):
                    float(step(batch, targets, 1e-3))
            except (tf.errors.OpError, ValueError) as error:
                print(name, size, str(error)[:300], file=sys.stderr)
                continue
            waited = _milliseconds(lambda step=step, batch=batch, targets=targets: float(step(batch, targets, 1e-3)))
            start = time.perf_counter()
            for _ in range(STEPS):
                last = step(held, targets, 1e-3)
            float(last)
            found[f"{name} {size}"] = [waited, (time.perf_counter() - start) / STEPS * 1000]
    return {"steps": found}


def _milliseconds(action: Any) -> float:
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1000)


def _peak_mb() -> float:
    from hirshprint.networks.backend import tf

    if not tf.config.get_visible_devices("GPU"):
        return 0.0
    return float(tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6)


def load() -> list[str]:
    """Name of the first GPU and its load as nvidia-smi tells them; nothing where there is none."""
    if not shutil.which("nvidia-smi"):
        return []
    lines = subprocess.run(LOAD, capture_output=True, text=True, check=False).stdout.splitlines()
    return lines[0].split(", ") if lines else []


@contextmanager
def watched(samples: list[list[float]]) -> Iterator[None]:
    """Note the load of the GPU (%, MB in use, W) twice a second."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            if line := load():
                samples.append([float(value) for value in line[1:]])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def ask(work: str, cores: str = "", **asked: Any) -> dict[str, Any]:
    """Do something in a process of its own, if need be on some cores, and say how busy the GPU was meanwhile."""
    samples: list[list[float]] = []
    command = [*(["taskset", "-c", cores] if cores else []), sys.executable, __file__, "--work", work]
    start = time.monotonic()
    with watched(samples if asked["gpus"] else []):
        run = subprocess.run([*command, json.dumps(asked)], stdout=subprocess.PIPE, text=True, check=False)
    wall = time.monotonic() - start
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        print(f"{work} {asked}: failed\n" + "\n".join(lines[-5:]), flush=True)
        return {}
    busy = float(np.mean([sample[0] for sample in samples])) if samples else 0.0
    return json.loads(lines[-1]) | {"load": busy, "process_s": wall}


def beside(threads: int, jobs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Answers of `ask` to several questions at once, each on cores of its own where there are enough."""
    enough = (os.cpu_count() or 1) >= threads * len(jobs)
    cores = [f"{k * threads}-{(k + 1) * threads - 1}" if enough else "" for k in range(len(jobs))]
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = pool.map(lambda cores, job: ask(cores=cores, **job), cores, jobs.values())
        return dict(zip(jobs, found, strict=True))


def compare(folder: Path, copies: int, epochs: int, threads: int) -> None:
    """Train on the GPU and the CPU at once, and twice more on the GPU to compare predictions, and print the tables."""
    with tempfile.TemporaryDirectory() as place:
        tables: dict[str, pd.DataFrame] = {}

        def trained(*names: str) -> dict[str, dict[str, Any]]:
            jobs = {}
            for name in names:
                out = Path(place, name.replace(" ", "_"))
                out.mkdir()
                common = {"folder": str(folder), "copies": copies, "epochs": epochs, "threads": threads}
                more = {"gpus": int(name != "CPU"), "tf32": name != "GPU float32", "out": str(out)}
                jobs[name] = {"work": "train", **common, **more}
            runs = beside(threads, jobs)
            tables.update({name: pd.read_pickle(Path(jobs[name]["out"], "predictions.pkl")) for name in names})
            return runs

        costs(trained("GPU", "CPU"))
        if copies == 1:
            trained("GPU again", "GPU float32")
            differences(tables)


def costs(runs: dict[str, dict[str, Any]]) -> None:
    """Print what epochs cost on the GPU and on the CPU."""
    gpu, cpu = runs["GPU"], runs["CPU"]
    print(f"\n{gpu['rows']} compounds: network, steps an epoch; first epoch, s: GPU, CPU;")
    print("an epoch, s: GPU, CPU, CPU/GPU; a step with its share of all else, ms: GPU, CPU")
    for model in gpu["spent"]:
        first = [run["spent"][model][0] for run in (gpu, cpu)]
        epoch = [float(np.median(run["spent"][model])) for run in (gpu, cpu)]
        one = [1000 * seconds / gpu["steps"][model] for seconds in epoch]
        print(
            f"{model:10} {gpu['steps'][model]:4}  {first[0]:6.1f} {first[1]:6.1f}   {epoch[0]:8.4f} {epoch[1]:8.4f} "
            f"{epoch[1] / epoch[0]:6.2f}   {one[0]:7.2f} {one[1]:7.2f}"
        )
    for name, run in runs.items():
        print(
            f"{name}: training {run['seconds']:.1f} s, the process {run['process_s']:.1f} s; "
            f"the GPU {run['load']:.0f} % busy, {run['peak_mb']:.0f} MB of it used at most",
            flush=True,
        )


def differences(tables: dict[str, pd.DataFrame]) -> None:
    """Print whether the GPU repeats itself, and how far it is from the CPU."""
    tested = {name: table[table["part"] == "test"] for name, table in tables.items()}
    print("\npredictions of the test parts: network; GPU = GPU again bit for bit; mean absolute error of each;")
    print("mean and largest difference from those of the CPU: GPU, GPU float32 (without TF32)")
    for model in tables["GPU"]["model"].unique():
        rows = {name: table[table["model"] == model] for name, table in tested.items()}
        value = {name: table["predicted"].to_numpy() for name, table in rows.items()}
        same = np.array_equal(value["GPU"], value["GPU again"])
        errors = [f"{name} {(table['predicted'] - table['true']).abs().mean():.4f}" for name, table in rows.items()]
        apart = [np.abs(value[name] - value["CPU"]) for name in ("GPU", "GPU float32")]
        print(f"{model:10} {same}; {', '.join(errors)}; " + ", ".join(f"{x.mean():.5f} {x.max():.5f}" for x in apart))


def time_steps(folder: Path, threads: int) -> None:
    """Print what single steps cost."""
    common = {"work": "steps", "folder": str(folder), "networks": STEP_NETWORKS, "batches": STEP_BATCHES}
    base = common | {"gpus": 1, "threads": threads, "xla": False, "inter": 1}
    print("\na step on a batch made beforehand, ms: waited for, as training does | one after the other, inputs held")
    for jobs in (
        {"GPU": base, "CPU": base | {"gpus": 0}},
        {"GPU XLA": base | {"xla": True}, "CPU, 1 thread": base | {"gpus": 0, "threads": 1}},
        {"GPU, 4 between operations": base | {"inter": 4}, "CPU XLA": base | {"gpus": 0, "xla": True}},
    ):
        found = {name: one.get("steps", {}) for name, one in beside(threads, jobs).items()}
        print("network, batch" + "".join(f"{name:>28}" for name in found))
        for key in dict.fromkeys(key for one in found.values() for key in one):
            cells = [f"{one[key][0]:8.2f} | {one[key][1]:8.2f}" if key in one else "-" for one in found.values()]
            print(f"{key:14}" + "".join(f"{cell:>28}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "results/experimental")
    parser.add_argument("--copies", type=int, default=38, help="of each crystal for the large dataset")
    parser.add_argument("--epochs", type=int, default=4, help="on the large dataset")
    parser.add_argument("--threads", type=int, default=8, help="of the CPU; 8 is what the training job asks for")
    parser.add_argument("--parts", default="small,large,steps")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work, asked = {"train": train, "steps": steps}[arguments.work[0]], json.loads(arguments.work[1])
        print(json.dumps(work(asked)))
        return
    print(f"{(load() or ['no GPU'])[0]}; {arguments.threads} CPU threads", flush=True)
    folder = arguments.folder.resolve()
    if "small" in arguments.parts:
        compare(folder, 1, 0, arguments.threads)
    if "large" in arguments.parts:
        compare(folder, arguments.copies, arguments.epochs, arguments.threads)
    if "steps" in arguments.parts:
        time_steps(folder, arguments.threads)


if __name__ == "__main__":
    main()

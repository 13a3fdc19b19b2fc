"""TensorFlow and Keras, imported quietly in one place; nothing else in the library imports them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hirshprint.files.reading import DamagedError, check_zip


@contextmanager
def _silent_libraries() -> Iterator[None]:
    """Drop what C++ code writes to standard error: TensorFlow announces there what it was built with."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with _silent_libraries():
    import keras
    import tensorflow as tf

__all__ = ["keras", "leave_gpus", "load_network", "prepare_device", "tf"]


def load_network(path: Path, network: Any = None) -> Any:
    """Load a network of a folder of models, each byte of it checked.

    Parameters
    ----------
    path : Path
        File of the network (``.keras``).
    network : keras.Model, optional
        Another one of the same layers, which gets its weights: that takes a tenth of the time.

    Raises
    ------
    DamagedError
        It is not as it was saved.
    """
    check_zip(path, unit=path.parent)
    try:
        if network is None:
            return keras.models.load_model(path)
        network.load_weights(path)
        return network
    except (ValueError, KeyError, TypeError):
        raise DamagedError(path, "Keras cannot load it", path.parent) from None


def prepare_device(gpus: int, require_gpu: bool, threads: int) -> str:
    """Choose where to compute, make it reproducible, and say where: ``GPU`` or ``CPU``.

    Parameters
    ----------
    gpus : int
        0 leaves any GPU alone.
    require_gpu : bool
        No GPU is an error.
    threads : int
        CPU threads; can be set only before TensorFlow computes anything in this process.

    Raises
    ------
    RuntimeError
        `require_gpu` and there is no GPU to use.
    """
    found = tf.config.list_physical_devices("GPU") if gpus else []
    if require_gpu and not found:
        reason = "gpus is 0" if not gpus else "TensorFlow finds none on this machine"
        raise RuntimeError(
            f"learning: require_gpu is true, but {reason}. Install envs/learning-gpu.txt on a machine with "
            "an NVIDIA GPU and its driver, ask the cluster for one (gpus: 1), or write require_gpu: false"
        )
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.set_visible_devices(found[:gpus], "GPU")
    for device in found[:gpus]:
        tf.config.experimental.set_memory_growth(device, True)
    tf.config.experimental.enable_op_determinism()
    return "GPU" if found else "CPU"


def leave_gpus() -> None:
    """Compute on the CPU: TensorFlow would else take nearly all memory of a GPU, for a fraction of a second's work."""
    tf.config.set_visible_devices([], "GPU")

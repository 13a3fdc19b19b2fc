"""How far trainings are, said now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from hirshprint.networks.unit import Trained, Unit

LOG = logging.getLogger(__name__)
SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Says now and then how far a model's trainings are and when they will be done."""

    def __init__(self, model: str, units: Sequence[Unit], device: str, error: str):
        self.device, self.error = device, error
        self.left = sum(int(unit.settings.epochs) * unit.size for unit in units)
        self.total, self.number = len(units), 0
        self.done: int | None = None  # rows passed through a network in this process
        self.start = self.said = time.monotonic()
        self.reached = 0

    def epoch(self, unit: Unit, epoch: int, error: float) -> None:
        """Count one epoch of a unit."""
        self.reached = epoch
        now = time.monotonic()
        if self.done is None:  # the first epoch of a process compiles the network: it tells nothing of the others
            self.start, self.done = now, 0
            return
        self.done += unit.size
        if now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            ahead = self.left - epoch * unit.size
            eta = round(ahead * (now - self.start) / self.done)
            LOG.info(
                f"{unit.name} ({self.number + 1} of {self.total}): "
                f"epoch {epoch} of {unit.settings.epochs}, "
                f"training {self.error} {error:.3g}, {eta // 60}:{eta % 60:02d} min left for {unit.model}"
            )

    def finished(self, unit: Unit, trained: Trained) -> None:
        """Count one unit as done, whether trained now or found."""
        how = f"in {trained.seconds:.1f} s" if self.reached else "found in the cache"
        self.left -= int(unit.settings.epochs) * unit.size
        self.number, self.reached = self.number + 1, 0
        LOG.info(f"{unit.name} ({self.number} of {self.total}): done, {how}")

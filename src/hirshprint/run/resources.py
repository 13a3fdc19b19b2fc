"""Memory, run time and processors that the jobs ask for (light).

Each grows with the attempt: a job that was too large for its share gets more the next time.
"""

from __future__ import annotations

import math

from hirshprint.run.plan import RunPlan, files_in, sites, structures_in
from hirshprint.run.progress import SNAKEMAKE_MB

SURFACE_RETRIES = 2


def growing(run: RunPlan, dataset: str, attempt: int, amount: float, per_structure: float = 0.0) -> int:
    """An amount of a resource, and more for each structure of the dataset, that grows with each attempt."""
    structures = structures_in(run, dataset) if per_structure else 0
    return attempt * math.ceil(amount + per_structure * structures)


def memory_mb(run: RunPlan, dataset: str, attempt: int, amount: float, per_structure: float = 0.0) -> int:
    """Memory in MB of a job: its own, which grows with each attempt, and that of Snakemake beside it."""
    return growing(run, dataset, attempt, amount, per_structure) + SNAKEMAKE_MB


def report_mb(run: RunPlan, attempt: int) -> int:
    """Memory in MB of the report, which reads the tables of all datasets."""
    structures = sum(structures_in(run, dataset) for dataset in run.plans)
    return attempt * math.ceil(2000 + 0.02 * structures) + SNAKEMAKE_MB


def sites_of(run: RunPlan, dataset: str, batch: str) -> float:
    """Estimate how many sites without symmetry are as much work as a batch."""
    return sites(run, dataset) * structures_in(run, dataset, batch) / structures_in(run, dataset)


def surface_mb(run: RunPlan, dataset: str, batch: str, attempt: int) -> int:
    """Memory in MB of a surface job: its largest arrays are joined one by one."""
    per_site = run.engine.mb_per_site(run.config.surfaces)
    return attempt * math.ceil(700 + per_site * sites_of(run, dataset, batch)) + SNAKEMAKE_MB


def surface_minutes(run: RunPlan, structures: int, sites: float) -> float:
    """Run time in minutes of structures with as much work as so many sites without symmetry."""
    surfaces = run.config.surfaces
    return run.engine.minutes(surfaces, structures, sites * run.engine.seconds_per_site(surfaces) / 60)


def batch_minutes(run: RunPlan, dataset: str, batch: str, attempt: int) -> float:
    """Run time in minutes of a surface job."""
    structures = structures_in(run, dataset, batch)
    return attempt * surface_minutes(run, structures, sites_of(run, dataset, batch))


def reading_threads(run: RunPlan, dataset: str) -> int:
    """Processes that read structure files at the same time; each has some hundreds to read."""
    return min(8, 1 + files_in(run, dataset) // 400)


def gathering_threads(run: RunPlan, dataset: str) -> int:
    """Threads that gather fingerprints."""
    return min(8, 1 + structures_in(run, dataset) // 10_000)

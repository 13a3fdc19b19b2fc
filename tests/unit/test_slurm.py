"""SLURM's words: job names, what it lists, why it takes no job."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hirshprint.run import slurm


@pytest.mark.parametrize(
    ("words", "prefix", "name", "what"),
    [
        (["train", "small"], "", "train:small:hirshprint-0123abcd-7", "train small"),
        (["surface", "a b/ü", "x"], "my", "my_surface:a.b..:x:hirshprint-0123abcd-7", "my_surface a.b.. x"),
        (["surface", "d" * 80, "x"], "", f"surface:{'d' * 52}:hirshprint-0123abcd-7", f"surface {'d' * 52}"),
    ],
)
def test_names(words: list[str], prefix: str, name: str, what: str) -> None:
    assert slurm.job_name(words, "0123abcd", 7, prefix) == name
    found = slurm.OURS.match(name)
    assert found is not None
    assert found["what"].replace(":", " ") == what
    assert found["run"] == "0123abcd"


def test_only_jobs_of_the_workflow_in_this_folder_are_its_orphans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "surface:small:batch0of2:hirshprint-0123abcd-7"
    lines = [
        f"1|RUNNING|{name}|{tmp_path}",
        f"2|RUNNING|{name}|/elsewhere",
        f"3|RUNNING|surface|{tmp_path}",
        f"4|PENDING|mine_train:small:hirshprint-4567abcd-1|{tmp_path}",
        f"5|FAILED|{name}|{tmp_path}",
        f"6|COMPLETING|{name}|{tmp_path}/../{tmp_path.name}",
        "CLUSTER: far",
    ]
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\ncat <<'END'\n{chr(10).join(lines)}\nEND\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert [(job.job_id, job.what) for job in slurm.folder_jobs(tmp_path)] == [
        ("1", "surface small batch0of2"),
        ("4", "mine_train small"),
        ("6", "surface small batch0of2"),
    ]
    squeue.write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    with pytest.raises(slurm.SlurmError, match="squeue failed: Unable to contact slurm controller"):
        slurm.folder_jobs(tmp_path)
    squeue.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(slurm.SlurmError, match="squeue has not answered for 0 s"):
        slurm.folder_jobs(tmp_path, 0.1)


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        (
            "sbatch: error: invalid partition specified: x\nsbatch: error: Invalid partition name specified",
            "slurm_partition",
        ),
        ("Batch job submission failed: Invalid account or account/partition combination specified", "slurm_account"),
        ("sbatch: error: Batch job submission failed: Invalid qos specification", "qos or slurm-qos"),
        ("sbatch: error: Memory specification can not be satisfied", "mem_mb or slurm_partition"),
        ("Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)", "runtime"),
        ("sbatch: unrecognized option '--foo'\nTry \"sbatch --help\" for more information", "slurm_extra"),
        ("sbatch: error: Invalid generic resource (gres) specification", "gpu, gpu_model or gres"),
        ("Batch job submission failed: Requested node configuration is not available", "threads, mem_mb or gpu"),
        (
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
            "slurm_account or qos",
        ),
        ("sbatch: error: something new", "what it names"),
    ],
)
def test_refusals_name_the_key(message: str, keys: str) -> None:
    text = slurm.refusal_text(message, "cpu", "slurm/config.yaml")
    assert f"{keys}" in text.rpartition("Correct ")[2]
    assert text.endswith(" in slurm/config.yaml.")
    assert "--help" not in text
    assert "sbatch:" not in text
    assert "\n" not in text
    assert not slurm.is_away(message)
    assert slurm.limit_met(message) == ""


@pytest.mark.parametrize(
    "message",
    [
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
        "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying",
        "sbatch: error: Batch job submission failed: Resource temporarily unavailable",
        "slurm_load_jobs error: Slurm backup controller in standby mode",
        'sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2"',
    ],
)
def test_messages_of_a_controller_that_is_away(message: str) -> None:
    assert slurm.is_away(message)


def test_the_file_of_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm/config.yaml").touch()
    assert slurm.profile_file(["snakemake", "--profile", "slurm", "-n"]) == "slurm/config.yaml"
    assert slurm.profile_file(["snakemake", "--profile=slurm"]) == "slurm/config.yaml"
    assert slurm.profile_file(["snakemake", "--profile", "mine"]) == "the profile mine"
    assert slurm.profile_file(["snakemake", "--executor", "slurm"]) == "the profile, or on the command line"
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "slurm/config.yaml")
    assert slurm.profile_file(["snakemake"]) == "slurm/config.yaml"

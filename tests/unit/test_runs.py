"""A folder of results belongs to one format."""

from __future__ import annotations

from pathlib import Path

import pytest

from hirshprint import versions
from hirshprint.files.writing import ForeignFolderError, refuse_unwritable
from hirshprint.run.format import FormatError, check_results, stamp_results


def test_results_of_another_format_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results"
    check_results(results)
    stamp_results(results)
    check_results(results)
    written = versions.RESULTS_FORMAT
    monkeypatch.setattr(versions, "RESULTS_FORMAT", "7")
    stamp_results(results)  # never hides what wrote the rest
    with pytest.raises(
        FormatError, match=rf"files of format {written}, and .* writes format 7\. Move the folder .* or delete it"
    ):
        check_results(results)


def test_results_whose_stamp_is_gone_are_no_fault(tmp_path: Path) -> None:
    """Digests have the format, so that results of another one are made again."""
    (tmp_path / "some").mkdir()
    (tmp_path / "some/structures.h5").touch()
    check_results(tmp_path)
    (tmp_path / "format.txt").write_text("")
    check_results(tmp_path)
    stamp_results(tmp_path)
    assert (tmp_path / "format.txt").read_text().strip() == versions.RESULTS_FORMAT


def test_a_folder_of_another_user_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".snakemake"
    refuse_unwritable(folder)
    (folder / "iocache").mkdir(parents=True)
    refuse_unwritable(folder)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "iocache")  # as root all may be written
    with pytest.raises(ForeignFolderError, match=f"iocache belongs to {folder.owner()}, and you may not write to it"):
        refuse_unwritable(folder)

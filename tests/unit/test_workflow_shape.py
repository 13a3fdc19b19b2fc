"""The shape that the workflow keeps: short scripts, rules with all that a rule needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hirshprint.run.environment import compiled_code_folder

ROOT = Path(__file__).parents[2]
RULES = [
    (path.name, name, body)
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:(?:    .*)?\n)+)", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize(("file", "name", "body"), RULES, ids=[name for _, name, _ in RULES])
def test_rule_has_all_that_a_rule_needs(file: str, name: str, body: str) -> None:
    for part in ("output", "log", "benchmark", "threads", "resources", "message", "conda"):
        assert re.search(rf"^    {part}:", body, re.MULTILINE), f"{file}, rule {name}: no {part}"
    for need in ("mem_mb", "runtime"):
        assert need in body, f"{file}, rule {name}: no {need}"
    assert "\n    run:" not in body


@pytest.mark.parametrize("path", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.name)
def test_script_is_a_shell(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if "argparse" in "\n".join(lines):
        pytest.skip("a program of its own, not a shell: it runs in an environment without this library")
    assert len(lines) <= 30
    assert lines[0].startswith('"""')


def test_snakefile_imports_nothing_heavy() -> None:
    text = (ROOT / "Snakefile").read_text() + "".join(p.read_text() for p in (ROOT / "workflow/rules").glob("*.smk"))
    assert not re.search(r"import (numpy|pandas|pymatgen|tensorflow|h5py)", text)


def test_profile_is_found_by_its_bare_name() -> None:
    link = ROOT / "slurm"
    assert link.is_symlink()
    assert link.readlink() == Path("profiles/slurm")
    assert (link / "config.yaml").is_file()


def test_the_product_does_not_read_the_shared_folder() -> None:
    files = [p for folder in ("src", "workflow", "config", "data", "profiles") for p in (ROOT / folder).rglob("*")]
    for path in files:
        if path.suffix in {".py", ".smk", ".yaml"} and path.is_file():
            assert "../shared" not in path.read_text(encoding="utf-8"), path


def test_compiled_code_is_kept_apart_for_other_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled_code_folder(tmp_path)
    assert compiled_code_folder(tmp_path) == before
    monkeypatch.setattr("hirshprint.run.environment.file_digest", lambda path: path.name)
    assert compiled_code_folder(tmp_path) != before


@pytest.mark.parametrize(("file", "name", "body"), RULES, ids=[name for _, name, _ in RULES])
def test_results_of_a_rule_are_listed(file: str, name: str, body: str) -> None:
    listed = (ROOT / "results/README.md").read_text(encoding="utf-8")
    output = re.split(r"^    (?!output)\w+:", body.split("    output:")[1], flags=re.MULTILINE)[0]
    for path in re.findall(r'"results/([^"]+)"', output):
        path = re.sub(r"\{+(\w+)\}+", lambda found: found[1].upper(), path).replace("DATASET", "NAME")
        path = path.replace("FIGURE", "*") + ("/" if path.endswith("models") else "")
        shown = f"`{Path(path).parent}/" if "ITEM" in path else f"`{path}`"  # many in one line of the table
        assert shown in listed, f"{file}, rule {name}: results/README.md does not list {path}"

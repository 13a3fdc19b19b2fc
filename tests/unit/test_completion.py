"""Completion in bash and zsh: the scripts, and what bash completes by one."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hirshprint.cli import main

ASK = """source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_shtab_hirshprint
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The script for the shell that the test asks for, bash without a word."""
    pytest.importorskip("shtab", reason="shtab is not in this environment: make env")
    shell = getattr(request, "param", "bash")
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    path = tmp_path / f"completion.{shell}"
    path.write_text(streams.out, encoding="utf-8")
    return path


def completed(script: Path, *words: str) -> set[str]:
    """What bash completes the last of some words to."""
    listed = " ".join(f"'{word}'" for word in ("hirshprint", *words))
    command = ASK.format(script=script, words=listed, last=len(words))
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=script.parent)
    return set(done.stdout.split())


@pytest.mark.parametrize("script", ["bash", "zsh"], indirect=True)
def test_the_shell_accepts_the_script(script: Path) -> None:
    shell = script.suffix[1:]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    subprocess.run([shell, "-n", str(script)], check=True)


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_the_script_of_zsh_names_files_and_folders(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#compdef hirshprint")
    assert '"--model[folder of a run\\\'s models (default\\: models\\/oqmd of hirshprint)]:DIR:_files -/"' in text
    assert '"--table[CSV with formula, or formula, A, B, X]:T.csv:_files"' in text


def test_bash_completes_commands_options_and_files(script: Path) -> None:
    (script.parent / "crystals").mkdir()
    (script.parent / "crystal.cif").write_text("")
    both = {"crystals", "crystal.cif"}
    assert completed(script, "s") == {"surface", "status"}
    assert completed(script, "predict", "--m") == {"--model"}
    assert completed(script, "fingerprint", "x", "--weighting", "") == {"area", "paper"}
    assert completed(script, "init", "cry") == both
    assert completed(script, "surface", "cry") == both
    assert completed(script, "check", "crystals", "cry") == both
    assert completed(script, "predict", "--cif", "cry") == both
    assert completed(script, "predict", "--model", "cry") == {"crystals"}


def test_shtab_is_imported_only_when_asked_for() -> None:
    code = "import sys, hirshprint.cli; hirshprint.cli.parser(); print('shtab' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.skipif(importlib.util.find_spec("shtab") is not None, reason="shtab is here")
def test_without_shtab_it_is_said_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    assert "run `make env` again, or `pip install shtab`" in capsys.readouterr().err

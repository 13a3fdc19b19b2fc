"""Check on one small crystal that the configured Tonto works.

Writes tonto_probe.json: version, checksums of the program and of its basis file.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from hirshprint.files.reading import sealed_json
from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.tonto.errors import TontoError
from hirshprint.hirshfeld.tonto.installation import Installation
from hirshprint.hirshfeld.tonto.probe import explain_probe, probe
from hirshprint.run.logs import start_log

start_log(snakemake.log[0], echo=True)
try:
    identity = probe(Installation(snakemake.params.binary, snakemake.params.basis_directory))
except TontoError as error:
    print(explain_probe(error))
    sys.exit(1)
with written_whole(Path(snakemake.output[0])) as temporary:
    temporary.write_text(json.dumps(sealed_json(asdict(identity)), indent=2) + "\n", encoding="utf-8")

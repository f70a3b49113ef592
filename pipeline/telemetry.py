"""`make telemetry`: fetch the upstream telemetry and derive the committed tables again.

The stages are frozen in dvc.yaml, so that a clone without network runs everything else on the committed
tables; DVC does not run frozen stages, not even with --force. So they run here, in the order of dvc.yaml,
and `dvc commit` then records what they made: dvc.lock stays true.
"""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import InputError, run
from pipeline.reproduce import PIPELINE, committed_outputs, digests, report


def frozen_stages(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The stages that need upstream files, in the order of dvc.yaml."""
    return {name: stage for name, stage in pipeline["stages"].items() if stage.get("frozen")}


def main() -> None:
    """Run the frozen stages one after the other, record them, compare their tables with those before."""
    stages = frozen_stages(YAML(typ="safe").load(Path(PIPELINE)))
    outputs = committed_outputs(stages)
    before = digests(outputs)
    for name, stage in stages.items():
        print(f"== {name}", flush=True)
        python, *arguments = shlex.split(stage["cmd"])
        if python != "python":
            raise InputError(f"{PIPELINE}, {name}: cmd starts with {python!r}, expected 'python'")
        done = subprocess.run([sys.executable, *arguments], check=False)
        if done.returncode:  # the stage has said what is wrong
            raise SystemExit(done.returncode)
    subprocess.run(["dvc", "commit", "--quiet", "--force", *stages], check=True)
    report(before, digests(outputs))


if __name__ == "__main__":
    run(main)

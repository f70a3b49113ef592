"""`make telemetry`: fetch the upstream telemetry and derive the committed tables again.

The stages are frozen in dvc.yaml, so that a clone without network runs everything else on the committed
tables; DVC does not run frozen stages, not even with --force. So they run here, in the order of dvc.yaml,
and `dvc commit` then records what they made: dvc.lock stays true.
"""

import os
import shlex
import subprocess
import sys
from typing import Any

from pipeline.core.errors import InputError, run
from pipeline.core.processes import STAGE
from pipeline.repair import alone, keep
from pipeline.reproduce import committed_outputs, report, stages


def frozen_stages(found: dict[str, Any]) -> dict[str, Any]:
    """The stages that need upstream files, in the order of dvc.yaml."""
    return {name: stage for name, stage in found.items() if stage.get("frozen")}


def main() -> None:
    """Run the frozen stages one after the other, record them, compare their tables with those of git."""
    frozen = frozen_stages(stages())
    for name, stage in frozen.items():
        print(f"== {name}", flush=True)
        python, *arguments = shlex.split(stage["cmd"])
        if python != "python":
            raise InputError(f"dvc.yaml, {name}: cmd starts with {python!r}, expected 'python'")
        # As DVC would run it, so that the stage looks whether its inputs stay as they are.
        done = subprocess.run([sys.executable, *arguments], env={**os.environ, STAGE: name}, check=False)
        if done.returncode:  # the stage has said what is wrong
            raise SystemExit(done.returncode)
    subprocess.run(["dvc", "commit", "--quiet", "--force", *frozen], check=True)
    keep()
    if not report(committed_outputs(frozen)):
        raise SystemExit(1)


if __name__ == "__main__":
    run(alone()(main))

"""Trace the sections of params.yaml behind each file that figures are drawn from, for their sidecars.

Inputs: pipeline/present/graph.yaml (dvc.yaml), build/assumptions/.
Outputs: build/parameters/<stage>.json for every stage that depends on it. Settings: none.
"""

from pipeline.errors import run
from pipeline.files import write_json
from pipeline.present.provenance import TRACED, names, read_origin, traced_sections


def main() -> None:
    """Load the graph, trace the inputs of each stage, save."""
    origin = read_origin()

    for stage, about in origin.stages.items():
        target = TRACED / f"{stage}.json"
        if target.as_posix() in names(about["deps"]):
            write_json(traced_sections(origin, stage), target)


if __name__ == "__main__":
    run(main)

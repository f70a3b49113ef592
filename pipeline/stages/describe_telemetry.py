"""Write the page that says what the telemetry tables hold.

Inputs: data/telemetry/registry.yaml. Outputs: data/telemetry/README.md. Settings: none.
"""

from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_text
from pipeline.ingest.describe import page
from pipeline.ingest.registry import read_registry

OUTPUT = Path("data/telemetry/README.md")


def main() -> None:
    """Registry and contracts to Markdown."""
    registry = read_registry()

    text = page(registry)

    write_text(text, OUTPUT)


if __name__ == "__main__":
    run(main)

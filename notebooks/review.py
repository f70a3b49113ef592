"""What every notebook here uses: tables and figures of the project by path, and checks shown as a table."""

import base64
import html
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from IPython.display import HTML

pd.set_option("display.max_rows", 120, "display.max_columns", 40, "display.max_colwidth", 120)
pd.set_option("display.precision", 3)
warnings.simplefilter("error")  # a warning would leave paths of the machine in the executed copy
warnings.simplefilter("ignore", PendingDeprecationWarning)  # of the kernel itself


class Project:
    """The results as seen from a notebook; paths are relative to the repository."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def table(self, path: str) -> pd.DataFrame:
        """A table of the project, as it stands in its CSV file."""
        return pd.read_csv(self.root / path)

    def text(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path).read_text(encoding="utf-8")

    def figure(self, name: str) -> HTML:
        """A figure of the pipeline with its caption and alt text, carried inside the notebook."""
        about = json.loads(self.text(f"figures/{name}.json"))
        image = base64.b64encode((self.root / f"figures/{name}.svg").read_bytes()).decode("ascii")
        alt, caption = html.escape(about["alt"]), html.escape(about["caption"])
        return HTML(
            f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{image}" style="background: white">'
            f"<figcaption>{caption}</figcaption></figure>"
        )


def blanks(table: pd.DataFrame) -> pd.DataFrame:
    """The table with nothing shown where nothing is known."""
    return table.astype(object).where(table.notna(), "")


def holds(checks: Mapping[str, bool]) -> pd.DataFrame:
    """Statements that depend on the assumptions, shown and not enforced: a what-if run can end and say so."""
    said = {True: "holds", False: "does not hold"}
    return pd.Series({words: said[bool(value)] for words, value in checks.items()}, name="here").to_frame()

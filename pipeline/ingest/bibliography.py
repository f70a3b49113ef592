"""The bibliography, in which every source of a table and of params.yaml stands."""

from pathlib import Path

from pybtex.database import parse_string
from pybtex.exceptions import PybtexError

from pipeline.errors import InputError

BIBLIOGRAPHY = Path("paper/references.bib")


def reference_keys(path: Path = BIBLIOGRAPHY) -> frozenset[str]:
    """The keys of a BibTeX file; raises InputError when it cannot be parsed."""
    try:
        return frozenset(parse_string(path.read_text(encoding="utf-8"), "bibtex").entries.keys())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except PybtexError as error:
        raise InputError(f"{path}: not valid BibTeX ({error})") from None

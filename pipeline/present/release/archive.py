"""A manifest of what is handed on, and zip archives with the same bytes each time."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.files import write_atomically

OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip entry
PLAIN_FILE = 0o100644 << 16


def manifest(folder: Path) -> list[dict[str, Any]]:
    """Path, bytes and SHA-256 of every file under `folder`, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]


def write_zip(files: Mapping[str, Path], target: Path) -> None:
    """Write files under their names in the archive, without times, owners or modes of the machine."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, OLDEST)
                entry.external_attr, entry.create_system = PLAIN_FILE, 3
                archive.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=6)

    write_atomically(target, write)

"""The registry of upstream telemetry: where each file comes from and what its bytes must be."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from pipeline.errors import InputError

REGISTRY = Path("data/telemetry/registry.yaml")
Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UpstreamFile(_Entry):
    """What the bytes of one file must be."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(gt=0, strict=True)]


class DataSet(_Entry):
    """One upstream data set: a commit of a repository, or a release of a package."""

    title: Text
    address: Annotated[str, Field(pattern=r"^https://.*/$")] | None = None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    package: Annotated[str, Field(pattern=r"^PyPI [\w.-]+ [\w.]+$")] | None = None
    licence: Text
    citation: Text  # a key of paper/references.bib
    holds: Text
    boundary: Literal["gpu", "node", "none"]
    defects: list[Text]
    files: Annotated[dict[str, UpstreamFile], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_origin(self) -> "DataSet":
        if self.package is None and (self.address is None or self.commit is None):
            raise ValueError("needs an address and its commit, or a package")
        if self.package is not None and (self.address or self.commit):
            raise ValueError("has a package and an address or commit, expected one of the two")
        if self.address and self.commit and self.commit not in self.address:
            raise ValueError(f"address does not name its commit {self.commit}")
        for path in self.files:
            if path.startswith("/") or ".." in Path(path).parts:
                raise ValueError(f"file {path!r} must stay inside the data set")
        return self

    def url(self, path: str) -> str:
        """Address of a file upstream."""
        return f"{self.address}{quote(path)}"


class Registry(RootModel[dict[str, DataSet]]):
    """All data sets by name."""


def read_registry(path: Path | str = REGISTRY) -> dict[str, DataSet]:
    """Read and validate the registry; raises InputError that names each wrong key."""
    path = Path(path)
    try:
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return Registry.model_validate(data).root
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: not valid YAML ({error.problem})") from None
    except ValidationError as error:
        lines = [f"{path}, {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise InputError("\n".join(lines)) from None

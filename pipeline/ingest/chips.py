"""What the names of accelerators and machines mean, as people and tools write them.

Vendors are left out of an accelerator's name ("NVIDIA H100 80GB HBM3" of nvidia-smi and DCGM), the order of
its parts does not matter ("gpu_8x_a100_80gb_sxm4"), counts are split off ("8xH100"), a part of one is that
share of it ("MIG 3g.40gb"), and a machine of a cloud provider ("p5.48xlarge"), or a family of them that all
have the same ("ND_H100_v5"), stands for its accelerators.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.ingest.names import nearest_of, spellings


@dataclass(frozen=True)
class Accelerators:
    """What a text says of accelerators: which, and how many (None: not said; below 1: part of one)."""

    gpu: str
    gpus: float | None


COUNTED = (
    re.compile(r"(?P<gpus>\d+)\s*(?:[x×*_]+|gpus?\b)?\s*(?P<gpu>\S.*)", re.IGNORECASE),
    re.compile(r"(?P<gpu>.*\S)\s*(?:[x×*:]\s*|\()(?P<gpus>\d+)\)?", re.IGNORECASE),
    re.compile(r"(?P<gpu>.*\S)[\s_-]+(?P<gpus>\d+)[\s_-]*gpus?", re.IGNORECASE),
)
LISTED = re.compile(r"^gpu(?: \d+:|(?=[-_]\d))[\s_-]*|\s*\(uuid:.*\)$", re.IGNORECASE)  # of nvidia-smi -L
SLICE = re.compile(r"(?P<gpu>.*\S)[\s_-]+mig[\s_-]*\d+g\.(?P<gb>\d+)gb", re.IGNORECASE)  # of its memory
MACHINE = re.compile(r"^(?:standard[\s_]|ml\.|db\.)", re.IGNORECASE)  # of Azure, SageMaker
# Of AWS what stands before the size, of Google and Oracle before the count, of Azure without number and
# features: p5, a3-megagpu, BM.GPU.H100, ND H100_v5.
FAMILIES = (
    re.compile(r"(?P<family>[a-z]+\d\w*(?:-\w+)?)\.\d*\w+"),
    re.compile(r"(?P<family>[a-z]+\d\w*-[a-z]+?)(?:gpu)?-\d+[gt](?:-metal)?"),
    re.compile(r"(?P<family>[a-z]+\d\w*-[a-z]+)-\d+[gt]"),
    re.compile(r"(?P<family>[bv]m\.gpu\S+)\.\d+"),
    re.compile(r"(?P<family>n[cdv])\d+a?(?P<more>m?)[a-z]*(?P<rest>_\w+)"),
    re.compile(r"(?P<family>n[cdv])\d+(?P<features>[a-z]+)(?P<rest>_\w+)"),
)
VENDOR = re.compile(r"^(?:nvidia|amd|google|microsoft|intel|aws)?(?:instinct|geforce|hgx|dgx)?(?=.)")
SAME_MEMORY = 0.1  # of it: GB, GiB, and what error correction takes
SAID_ANYWAY = {"nvidia", "amd", "gpu", "gpus", "tensor", "core", "accelerator", "instinct", "geforce", "oam"}


def gpu_key(name: str) -> str:
    """The name in small letters and digits, without its vendor: "NVIDIA H100-SXM" is "h100sxm"."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return VENDOR.sub("", plain)


def gpu_names(hardware: pd.DataFrame) -> dict[str, str]:
    """The key (gpu_key) of every spelling of an accelerator, to its name."""
    return {
        gpu_key(spelling): gpu
        for gpu, all_spellings in spellings(hardware, ["gpu", "aliases"]).items()
        for spelling in all_spellings
    }


def _parts(name: str) -> frozenset[str]:
    """Parts of a name in any order: "A100-SXM4-80GB" is "a100 80gb sxm"."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return frozenset(re.sub(r"^sxm\d$", "sxm", word) for word in words) - SAID_ANYWAY


def _machine_key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", MACHINE.sub("", name.strip()).lower()).replace("xlarge", "xl")


def _families(name: str) -> Iterator[str]:
    """Keys of the families that a machine belongs to."""
    plain = MACHINE.sub("", name).lower()
    for pattern in FAMILIES:
        if found := pattern.fullmatch(plain):
            yield _machine_key("".join(found.groups()))


@dataclass(frozen=True)
class Chips:
    """Accelerators by any of their names, and machines by theirs.

    hardware, instances: tables in the contracts HARDWARE and CLOUD_INSTANCES.
    """

    hardware: pd.DataFrame
    instances: pd.DataFrame

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return gpu_names(self.hardware)

    @cached_property
    def _by_parts(self) -> Mapping[frozenset[str], str]:
        """By parts in any order, where these mean one accelerator."""
        written = spellings(self.hardware, ["gpu", "aliases"])
        means: dict[frozenset[str], set[str]] = defaultdict(set)
        for gpu, names in written.items():
            for name in names:
                means[_parts(name)].add(gpu)
        return {parts: gpus.pop() for parts, gpus in means.items() if parts and len(gpus) == 1}

    @cached_property
    def _machines(self) -> Mapping[str, Accelerators]:
        """Machines, and families whose machines all have one accelerator, by their keys."""
        columns = (self.instances[name] for name in ("instance", "gpu", "gpus"))
        machines: dict[str, Accelerators] = {}
        families: dict[str, set[Accelerators]] = defaultdict(set)
        for name, gpu, gpus in zip(*columns, strict=True):
            machines[_machine_key(name)] = Accelerators(gpu, float(gpus))
            for family in _families(name):
                families[family].add(Accelerators(gpu, float(gpus)))
        for family, found in families.items():
            if len({one.gpu for one in found}) == 1:
                first = found.pop()
                machines.setdefault(family, Accelerators(first.gpu, None) if found else first)
        return machines

    def find(self, text: str) -> Accelerators | None:
        """What the text names; None where no reading of it is known."""
        plain = LISTED.sub("", text.strip())
        return self._one(plain) or next(self._counted(plain), None) or self._slice(plain)

    def _counted(self, text: str) -> Iterator[Accelerators]:
        for counted in COUNTED:
            if (match := counted.fullmatch(text)) and (inner := self._one(match["gpu"])):
                gpus = float(match["gpus"])
                if gpus > 0:
                    yield Accelerators(inner.gpu, gpus * (inner.gpus or 1))

    def _slice(self, text: str) -> Accelerators | None:
        found = SLICE.fullmatch(text)
        whole = self._one(found["gpu"]) if found else None
        if found is None or whole is None:
            return None
        return Accelerators(whole.gpu, min(float(found["gb"]) / self._memory_gib[whole.gpu], 1.0))

    def _one(self, text: str) -> Accelerators | None:
        text = re.sub(r"^[x×*]\s*", "", text.strip())
        names, parts = self._names, _parts(text)
        gpu = names.get(gpu_key(text)) or names.get(gpu_key(text.rstrip("s"))) or self._by_parts.get(parts)
        if gpu := gpu or self._of_memory(parts):
            return Accelerators(gpu, None)
        return self._machines.get(_machine_key(text)) if text[:1].isalnum() else None

    def _of_memory(self, parts: frozenset[str]) -> str | None:
        """One whose name does not say its memory, which the text does: "RTX 4090 24GB"."""
        sizes = {part: re.fullmatch(r"(\d+)gi?b?", part) for part in parts}
        said = [float(size[1]) for size in sizes.values() if size]
        gpu = self._by_parts.get(frozenset(part for part, size in sizes.items() if not size))
        near = gpu and all(abs(size / self._memory_gib[gpu] - 1) < SAME_MEMORY for size in said)
        return gpu if said and near else None

    @cached_property
    def _memory_gib(self) -> Mapping[str, float]:
        return dict(zip(self.hardware["gpu"], self.hardware["memory_gib"].astype(float), strict=True))

    def nearest(self, text: str) -> list[str]:
        """Known accelerators and machines most like it."""
        machines = {str(name).lower(): str(name).lower() for name in self.instances["instance"]}
        key = re.sub(r"^\d+\s*[x×*]\s*", "", text)
        return nearest_of(gpu_key(key), {**self._names, **machines})

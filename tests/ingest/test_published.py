"""The published tables are whole, agree with each other, and every source stands in the bibliography."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import typst
from ruamel.yaml import YAML

from pipeline.core.catalogue import everything, path_of
from pipeline.core.errors import InputError
from pipeline.core.parse import reference_keys
from pipeline.ingest.published import load
from pipeline.water.model.sites import site_factors

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "data/published"
BIBLIOGRAPHY = ROOT / "paper/references.bib"


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return load()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """What the stage reads, in a folder of its own."""
    for folder in ("data/published", "data/telemetry"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "paper").mkdir()
    shutil.copy(BIBLIOGRAPHY, tmp_path / "paper")
    return tmp_path


def _run(workspace: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.stages.inputs"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(
        command, cwd=workspace, env=environment, capture_output=True, text=True, check=False
    )


def _sources(node: object) -> Iterator[str]:
    """Every value under a key `source`, however deep."""
    if isinstance(node, dict):
        for key, item in node.items():
            if key == "source":
                yield item
            else:
                yield from _sources(item)
    elif isinstance(node, list):
        for item in node:
            yield from _sources(item)


def test_the_authors_fit_takes_their_fp8_rows(tables: dict[str, pd.DataFrame]) -> None:
    throughput = tables["throughput"]
    theirs = throughput[throughput["set"] == "published_analysis"]
    used = theirs[theirs["used_by_authors"] == "yes"]
    assert used.groupby("model").size().to_dict() == {
        "DeepSeek-R1": 3,
        "Llama 3.1 405B": 7,
        "Llama 3.1 70B": 5,
        "Mixtral 8x22B": 5,
        "Nemotron Ultra 253B": 2,
    }
    assert (theirs["precision"] == "FP8").equals(theirs["used_by_authors"] == "yes")
    assert set(throughput.loc[throughput["used_by_authors"] == "yes", "set"]) == {"published_analysis"}


def test_no_cell_of_the_vendors_tables_stands_twice(tables: dict[str, pd.DataFrame]) -> None:
    overview = tables["throughput"].query("set == 'tensorrt_llm_overview'")
    cell = ["document_version", "model", "gpu", "precision", "parallelism", "input_tokens", "output_tokens"]
    assert not overview.duplicated(cell).any()


def test_every_claim_of_the_released_code_cites_the_code(tables: dict[str, pd.DataFrame]) -> None:
    claims = tables["published/claims"]
    code = claims["kind"] == "released_code"
    assert (claims["source"] == "aienergy_simulation").equals(code)


def test_the_sites_of_li_et_al_give_their_printed_waters(tables: dict[str, pd.DataFrame]) -> None:
    """Their arithmetic: 4 Wh at the servers, WUE on site, PUE times the grid off site."""
    prior = tables["prior_water"].query("source == 'li2025thirsty'")
    of = site_factors(tables).set_index("key").loc[prior["site"]]
    ours = prior["energy_wh"].to_numpy() * (of["wue_l_per_kwh"] + of["pue"] * of["electricity_l_per_kwh"])
    assert len(prior)
    assert ours.to_numpy() == pytest.approx(prior["value"].to_numpy(), abs=0.003)  # factors: 3 decimals


def test_water_of_a_site_and_its_electricity_agree_with_the_stated_weight(
    tables: dict[str, pd.DataFrame],
) -> None:
    """Litres withdrawn over electricity, as the note of each row has them."""
    wue = tables["wue"]
    derived = wue[wue["method"] == "derived"]
    ml, mwh = (
        derived["note"].str.extract(rf"([\d,]+) {unit}")[0].str.replace(",", "").astype(float)
        for unit in ("ML", "MWh")
    )
    assert len(derived)
    assert (ml * 1000 / mwh).to_numpy() == pytest.approx(derived["value"].to_numpy(), abs=6e-4)


def test_every_source_of_the_tables_and_of_the_assumptions_resolves(tables: dict[str, pd.DataFrame]) -> None:
    references = reference_keys(BIBLIOGRAPHY)
    params = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    cited = set(_sources(params)).union(*(table["source"] for table in tables.values()))
    assert cited - references == set()


def test_the_bibliography_can_be_set_in_type(tmp_path: Path) -> None:
    shutil.copy(BIBLIOGRAPHY, tmp_path)
    (tmp_path / "list.typ").write_text('#bibliography("references.bib", full: true, style: "cell")')
    pdf = typst.compile(str(tmp_path / "list.typ"), root=str(tmp_path), ignore_system_fonts=True)
    assert pdf.startswith(b"%PDF")


def test_the_stage_writes_every_table(workspace: Path) -> None:
    result = _run(workspace)
    assert result.returncode == 0, result.stderr
    for name, table in everything().items():
        if table.origin:
            assert list(pd.read_parquet(workspace / path_of(name))) == list(table.contract.columns)


def _replace(old: str, new: str) -> Callable[[str], str]:
    def spoil(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return spoil


def _repeat_last_row(text: str) -> str:
    return text + text.splitlines()[-1] + "\n"


@pytest.mark.parametrize(
    ("file", "spoil", "message"),
    [
        ("pue.csv", lambda _: "", "the file is empty"),
        ("levers.csv", _replace(",unit", ""), "row 1: column 'unit' is missing"),
        ("levers.csv", _replace(",unit", ",unit,colour"), "row 1: unknown column 'colour'"),
        ("claims.csv", _replace("\n", "\r\n"), "row 1: ends with a carriage return (CRLF)"),
        ("claims.csv", lambda text: "\ufeff" + text, "row 1: starts with a byte-order mark"),
        ("claims.csv", _replace("Wh,0.31,", "Wh,0.31"), "row 2: has 11 values, expected 12 values"),
        ("claims.csv", _replace("Wh,0.31,", "Wh,o.31,"), "row 2, column 'value': 'o.31', expected a number"),
        (
            "node_power.csv",
            _replace("kW", "kWh"),
            "row 2, column 'unit': 'kWh', expected one of 'W', 'kW', 'fraction', 'ratio'",
        ),
        (
            "node_power.csv",
            _replace("700,W", "700,kW"),
            "row 13, column 'unit': 'kW', expected the unit of the other rows of this quantity",
        ),
        (
            "node_power.csv",
            _replace("2700,W", "2700,kW"),
            "row 21, column 'value': 2700.0, expected a power of 100 to 10000 W (boundary superchip)",
        ),
        (
            "node_power.csv",
            _replace("600,kW", "600,W"),
            "row 12, column 'value': 600.0, expected a power of 5000 to 2e+06 W (boundary rack)",
        ),
        (
            "prior_estimates.csv",
            _replace("0.3304,Wh/1000 output tokens", "0.3304,Wh/million tokens"),
            "column 'value': 0.3304, expected 1 to 20000 Wh/million tokens",
        ),
        (
            "levers.csv",
            _replace("0.906,fraction", "90.6,fraction"),
            "'value': 90.6, expected 0 to 1 fraction",
        ),
        ("pue.csv", _replace(",1.17,", ",0.17,"), "row 2, column 'value': 0.17, expected at least 1"),
        (
            "token_lengths.csv",
            _repeat_last_row,
            "row 89, column 'key': 'a16z_oai', expected values that stand once; row 88 has the same",
        ),
        (
            "token_lengths.csv",
            _replace("azure_llm_2023", "azure_llm"),
            "row 2, column 'source': 'azure_llm', expected a key of paper/references.bib",
        ),
        (
            "wue.csv",
            _replace("L/kWh IT", "gal/kWh"),
            "row 2, column 'unit': 'gal/kWh', expected one of 'L/kWh IT', 'L/kWh facility'",
        ),
        ("wue.csv", _replace(",0.27,", ",270,"), "row 2, column 'value': 270.0, expected"),
        (
            "sites.csv",
            _replace("site_phoenix,wri_arizona", "site_phoenix,wri_atlantis"),
            "row 2, column 'grid_key': 'wri_atlantis', expected a key of electricity_water.csv",
        ),
        (
            "throughput.csv",
            _replace("Llama 3.1 405B,405,405", "Llama 3.1 405B,400,400"),
            "column 'total_params_b': 405.0, expected what the first row of the same model says",
        ),
        (
            "throughput.csv",
            _replace("3732.4", "3723.4"),
            "column 'output_tokens_per_s': 3723.4, expected the value of the same cell in the vendor's table",
        ),
    ],
)
def test_bad_input_gives_one_message_and_writes_nothing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, file: str, spoil: Callable[[str], str], message: str
) -> None:
    path = workspace / "data/published" / file
    path.write_bytes(spoil(path.read_text(encoding="utf-8")).encode())
    monkeypatch.chdir(workspace)
    from pipeline.stages.inputs import main

    with pytest.raises(InputError) as error:
        main()
    assert str(error.value).startswith(f"data/published/{file}, ") or "empty" in message
    assert message in str(error.value)
    assert not (workspace / "build").exists()


def test_the_command_prints_one_line_and_fails(workspace: Path) -> None:
    path = workspace / "data/published/pue.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",1.17,", ",0.17,", 1), encoding="utf-8")
    result = _run(workspace)
    expected = "error: data/published/pue.csv, row 2, column 'value': 0.17, expected at least 1\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", expected)
    assert not (workspace / "build").exists()


def test_a_table_that_no_contract_knows_is_refused(workspace: Path) -> None:
    (workspace / "data/published/extra.csv").write_text("key,value\na,1\n")
    result = _run(workspace)
    assert result.returncode == 1
    assert result.stderr.startswith("error: data/published/extra.csv: a table without a contract, expected")
    assert not (workspace / "build").exists()


def test_a_bibliography_that_cannot_be_parsed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "references.bib"
    path.write_text("@misc{a, title = {open}\n@misc{b}")
    with pytest.raises(InputError, match=r"references\.bib: not valid BibTeX"):
        reference_keys(path)


def test_a_reference_added_twice_stops_the_stage(workspace: Path) -> None:
    path = workspace / "paper/references.bib"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n@" + text.split("\n@")[1], encoding="utf-8")
    result = _run(workspace)
    assert result.returncode == 1 and "repeated bibliography entry" in result.stderr


def test_a_reference_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "references.bib"
    path.write_text("@misc{a, title = {x}}\n@misc{a, title = {y}}\n")
    with pytest.raises(InputError, match=r"not valid BibTeX \(repeated bibliography entry: a\)"):
        reference_keys(path)

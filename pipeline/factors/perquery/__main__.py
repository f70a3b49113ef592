"""`perquery`: estimates of queries, from a terminal.

    perquery estimate "Llama 3.1 70B" 600 250 --site google
    perquery usage responses.jsonl
    perquery predict configurations.csv -o predictions.csv      # needs perquery[model]

Numbers are energy, Wh, water, mL, and carbon, g CO2e, of one query; `usage` reads what an API returned (JSON
or JSON lines with `model` and `usage`), and writes one line of JSON for each.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from pipeline.factors.perquery import Band, Estimate, classes, estimate, models, services, sites

TOOLS = {"predict": "predict a table of deployments", "logs": "energy of queries from logs"}
PROJECT = Path(__file__).parent / "project"


def main() -> None:
    """Estimate, or run a tool of the project; exits with 1 and one line where the input is wrong."""
    if len(sys.argv) > 1 and sys.argv[1] in TOOLS:
        raise SystemExit(_tool(sys.argv[1], sys.argv[2:]))
    given = _arguments()
    try:
        if given.command == "models":
            print("\n".join([*models(), *services(), *classes()]))
        elif given.command == "usage":
            with sys.stdin if given.file == "-" else Path(given.file).open(encoding="utf-8-sig") as file:
                _usage(file, given)
        else:
            lengths = (given.input_tokens, given.output_tokens, given.cached)
            found = estimate(given.model, *lengths, site=given.site, precision=given.precision)
            print(json.dumps(found.as_dict()) if given.json else _text(found))
    except (ValueError, OSError) as error:
        raise SystemExit(f"perquery: {error}") from None


def _usage(file: TextIO, given: argparse.Namespace) -> None:
    """A line of each row; nothing where one is wrong."""
    found = []
    for number, row in enumerate(_rows(file, given.file), start=1):
        where = f"{given.file}, row {number}"
        try:
            model = given.model or row["model"]
            one = estimate(model, usage=row.get("usage", row), site=given.site, precision=given.precision)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{where}: expected an object with model and usage") from error
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        found.append(json.dumps(one.as_dict()))
    print("\n".join(found))


def _rows(file: TextIO, name: str) -> list[Any]:
    """Objects of a list, of one text of JSON, or of its lines."""
    try:
        text = file.read()
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            whole = json.loads(text)
        except json.JSONDecodeError:
            if len(lines) < 2:
                raise
            whole = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {error}; expected JSON, or JSON lines, in UTF-8") from None
    return whole if isinstance(whole, list) else [whole]


def _text(found: Estimate) -> str:
    rows: dict[str, Band | None] = {
        "energy, Wh": found.wh,
        "water on site, mL": found.onsite_ml,
        "water in all, mL": found.total_ml,
        "carbon, g CO2e": found.gco2e,
    }
    lengths = f"{found.input_tokens:g} tokens in ({found.cached_input_tokens:g} cached)"
    lines = [f"{found.model}, {lengths}, {found.output_tokens:g} out, at {found.site}"]
    lines.append(f"{'':<18}{'P5':>10}{'P50':>10}{'P95':>10}")
    for name, band in rows.items():
        shown = "".join(f"{value:>10.3g}" for value in band) if band else "   not published"
        lines.append(f"{name:<18}{shown}")
    lines += [
        f"{name}: {getattr(found, name)}" for name in ("deployment", "evidence", "tier", "reason", "boundary")
    ]
    return "\n".join(lines)


def _tool(name: str, words: list[str]) -> int:
    """The project's command, in the folder of its tables; files that are named stay where they are."""
    import subprocess
    from importlib.util import find_spec

    if any(find_spec(module) is None for module in ("pandas", "scipy", "pydantic", "ruamel")):
        raise SystemExit(f"perquery {name} needs more packages: pip install 'perquery[model]'")
    placed = [
        str(Path(word).resolve()) if Path(word).exists() or before in ("-o", "--out", "--output") else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    command: list[Any] = [sys.executable, "-m", f"pipeline.{name}", *placed]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="perquery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("estimate", help="one query")
    one.add_argument("model", help="model, service or class; `perquery models` lists them")
    one.add_argument("input_tokens", type=float, help="of the prompt, cached ones included")
    one.add_argument("output_tokens", type=float, help="of the answer")
    one.add_argument("--cached", type=float, default=0.0, help="input tokens read from a cache")
    one.add_argument("--json", action="store_true", help="all fields, as JSON")
    many = commands.add_parser("usage", help="usage objects of an API")
    many.add_argument("file", help="JSON or JSON lines; -: standard input")
    many.add_argument("--model", help="of all of them, where they do not say")
    for command in (one, many):
        command.add_argument("--site", help=f"one of {', '.join(sites())}")
        command.add_argument("--precision", help="of the weights, as published where not given")
    commands.add_parser("models", help="list models, services and classes")
    for name, about in TOOLS.items():
        commands.add_parser(name, help=about + " (perquery[model])")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Write the tables of the paper, collect every number that it may use under one key each, and typeset it."""

from pathlib import Path

from pipeline.core.errors import run
from pipeline.core.files import write_json
from pipeline.core.settings import load
from pipeline.energy import paper as energy
from pipeline.fleet import paper as fleet
from pipeline.levers import paper as levers
from pipeline.present import paper
from pipeline.present.paper import typeset
from pipeline.published import paper as published
from pipeline.report.declared import declared
from pipeline.report.formats import Table, collect, save_table
from pipeline.serving import paper as serving
from pipeline.water import paper as water

MODULES = (published, serving, energy, levers, fleet, water)
TABLES = Path("paper/tables")


def main() -> None:
    """Tables and numbers first: the text reads them."""
    for entry in declared(paper, *MODULES):
        if isinstance(entry, Table):
            save_table(entry, entry.made(entry.given(load)), TABLES)
    write_json(collect(MODULES, load), "build/paper/numbers.json")
    typeset(Path("paper/paper.typ"), Path("paper/paper.pdf"))


if __name__ == "__main__":
    run(main)

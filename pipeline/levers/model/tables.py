"""The tables of levers, from one evaluator and what others have published."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from pipeline.core.assumption import Assumption
from pipeline.fleet.model.settings import Fleet
from pipeline.ingest.sources import with_role
from pipeline.levers.model import hardware
from pipeline.levers.model.contract import LEVER_COMBINATIONS, LEVER_REGIMES
from pipeline.levers.model.evaluator import Evaluator, Facts
from pipeline.levers.model.hardware import Comparison
from pipeline.levers.model.models import model_rows
from pipeline.levers.model.rows import Row, published_rows, system_table
from pipeline.levers.model.serving import router_rows, scale_rows, scale_table, serving_rows, site_rows
from pipeline.levers.model.together import Service, combination_rows, group_rows, needed_rows
from pipeline.serving.model.settings import Serving

Tables = Mapping[str, pd.DataFrame]  # by name, as in the catalogue
READ = ("hardware", "levers", "routers", "serving_measurements", "mlperf_throughput", "routing_profiles",
        "routing_published")  # fmt: skip


def lever_tables(
    evaluator: Evaluator, tables: Tables, fleet: Fleet, serving: Serving, published: Mapping[str, Assumption]
) -> dict[str, pd.DataFrame]:
    """LEVER_SYSTEMS, LEVER_HARDWARE, LEVER_SCALE, LEVER_COMBINATIONS and LEVER_NEEDED by name.

    published: the ranges that the published analysis multiplies.
    """
    facts = evaluator.facts
    chat = with_role(tables["serving_measurements"], "chat")
    services = [Service.of(evaluator, regime, fleet.routing.routers, facts) for regime in LEVER_REGIMES]
    compared = [Comparison.of(evaluator, regime, facts) for regime in LEVER_REGIMES]
    rows = [
        *_system_rows(evaluator, tables, facts),
        *(row for one in compared for row in one.system_rows(evaluator, facts)),
        *(row for service in services for row in group_rows(service)),
        *published_rows(tables["levers"]),
    ]
    return {
        "lever_systems": system_table(rows, evaluator.replicates),
        "lever_hardware": hardware.hardware_table(
            [
                *(row for one in compared for row in one.rows(evaluator, facts)),
                *_published_hardware(evaluator, tables, facts, chat),
            ],
            evaluator.settings.hardware.chips,
        ),
        "lever_scale": scale_table(evaluator, chat, serving),
        "lever_combinations": pd.DataFrame(
            row for service in services for row in combination_rows(service, published)
        ).reindex(columns=list(LEVER_COMBINATIONS.columns)),
        "lever_needed": pd.DataFrame(row for service in services for row in needed_rows(service)),
    }


def _system_rows(evaluator: Evaluator, tables: Tables, facts: Facts) -> Iterator[Row]:
    levers = tables["levers"].set_index("key")
    yield from scale_rows(evaluator)
    yield from model_rows(evaluator, levers, facts)
    yield from router_rows(
        evaluator, tables["routing_profiles"], tables["routing_published"], tables["routers"]
    )
    yield from serving_rows(evaluator, levers)
    yield from site_rows(evaluator, tables["datacentre_lever"], tables["cooling_lever"])


def _published_hardware(
    evaluator: Evaluator, tables: Tables, facts: Facts, chat: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    settings = evaluator.settings.hardware
    yield from hardware.measured(chat, settings.measured_batches)
    yield from hardware.mlperf(tables["mlperf_throughput"], facts, settings.chips)
    saturated = with_role(tables["serving_measurements"], "saturated")
    yield from hardware.vendor(saturated, facts, settings.long_output_tokens)
    yield from hardware.stated(tables["levers"].set_index("key"), facts)

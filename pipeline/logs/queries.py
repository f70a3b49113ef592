"""Energy of each query, summed up a model and hour, with quantiles that need no sort of the whole log.

Energies are counted, and a quantile is interpolated between ranks as numpy does it. Up to EXACT_UP_TO
queries every energy is counted apart, so the quantiles are exact. Above, energies are counted in bins of
their first three significant digits, with the least and greatest value of each, and interpolated inside a
bin: never off by more than the bin's width (at most 1 %, far less where queries are many), and memory grows
with the number of bins, not of queries.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from pipeline.logs.rows import SHARE
from pipeline.logs.settings import US_PER_HOUR
from pipeline.logs.windows import PARTLY, covered_weight, energy_uj, total

QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
EXACT_UP_TO = 1_000_000
DIGITS = 3
COUNTS = ("queries", "input_tokens", "output_tokens", "weight", "share", "energy_uj")
LENGTH_CLASSES = ("under 100", "100 to 1,000", "1,000 and more")  # output tokens
USED = ("used", PARTLY)
PRICED = (
    "node", "first", "last", "first_covered", "last_covered", "between_covered", "uj_per_weight",
    "uj_per_weight_last", "uj_per_weight_between",
)  # fmt: skip


def length_class(output_tokens: ir.IntegerValue) -> ir.IntegerValue:
    """The number of LENGTH_CLASSES that an answer is of."""
    taken = output_tokens.fill_null(0)
    return ((taken >= 100).cast("int8") + (taken >= 1000).cast("int8")).cast("int8")


def query_bins(requests: ir.Table, prices: ir.Table, exact: bool) -> ir.Table:
    """Hour, model, length, failed, bin -> sums, least and greatest energy of queries that have some power.

    A query partly under power counts with that share; the energy of its bin is that of the whole query, as
    if the rest had drawn alike. `exact` gives each energy its own bin.
    """
    prices = prices.filter(_.outcome.isin(USED)).select(*PRICED)
    priced = requests.filter(_.usable).inner_join(prices, ["node", "first", "last"])
    failed = (
        {"failed": priced.failed.cast("int8")}
        if "failed" in priced.columns
        else {"failed": ibis.literal(0, "int8")}
    )
    queries = priced.select(
        "model", "input_tokens", "output_tokens", "weight", **failed,
        hour=(_.start_us // US_PER_HOUR).cast("int64"), length=length_class(_.output_tokens),
        energy_uj=energy_uj(),
        share=ibis.ifelse(_.weight > 0, _.share * (covered_weight() / _.weight), 0.0),
    )  # fmt: skip
    queries = queries.mutate(share=(_.share + 0.5).floor().cast("int64"))
    whole_uj = ibis.ifelse(
        _.share >= SHARE, _.energy_uj, (_.energy_uj * (SHARE / ibis.greatest(_.share, 1)) + 0.5).floor()
    )
    queries = queries.mutate(whole_uj=whole_uj.cast("int64"))
    queries = queries.mutate(bin=queries.whole_uj if exact else _first_digits(queries.whole_uj))
    return queries.group_by(
        ["hour", "model", "length", "failed", "bin"]).agg(queries=_.count(),
        input_tokens=total(_.input_tokens), output_tokens=total(_.output_tokens),
        weight=total(_.weight), share=total(_.share), least_uj=_.whole_uj.min(),
        greatest_uj=_.whole_uj.max(), energy_uj=total(_.energy_uj),
    )  # fmt: skip


def by_bins(bins: ir.Table, by: list[str]) -> ir.Table:
    """The bins of each `by`, whatever hour and length: one row a bin."""
    return bins.group_by([*by, "bin"]).agg(
        **{name: total(_[name]) for name in COUNTS},
        least_uj=_.least_uj.min(),
        greatest_uj=_.greatest_uj.max(),
    )


def summary(bins: ir.Table, by: list[str]) -> ir.Table:
    """One row for each `by`: sums of COUNTS and the quantiles p5_uj, p50_uj, p95_uj."""
    order = ibis.window(group_by=by, order_by="bin", preceding=None, following=0)
    table = bins.mutate(up_to=_.queries.sum().over(order), all=_.queries.sum().over(ibis.window(group_by=by)))
    table = table.mutate(before=_.up_to - _.queries)
    table = table.mutate(next_uj=_.least_uj.lead().over(ibis.window(group_by=by, order_by="bin")))
    quantiles = {f"{name}_uj": _at_rank(table, share).max() for name, share in QUANTILES.items()}
    return table.group_by(by).agg(**{name: total(table[name]) for name in COUNTS}, **quantiles).order_by(by)


def _at_rank(table: ir.Table, share: float) -> ir.FloatingValue:
    """The value at rank share x (n - 1) in the bin that holds this rank, blank in every other bin."""
    rank = share * (table["all"] - 1)
    inside = table.least_uj + (table.greatest_uj - table.least_uj) * (
        (rank - table.before) / ibis.greatest(table.queries - 1, 1)
    )
    to_next = table.greatest_uj + (table.next_uj - table.greatest_uj) * (rank - (table.up_to - 1))
    here = (rank >= table.before) & (rank < table.up_to)
    return ibis.ifelse(here, ibis.ifelse(rank <= table.up_to - 1, inside, to_next), ibis.null("float64"))


def _first_digits(value: ir.IntegerValue) -> ir.IntegerValue:
    """The number with all digits after the first three set to zero.

    Logarithms of powers of ten and powers of ten are exact in C and in Java, so engines agree on the bins.
    """
    surplus = ibis.greatest(ibis.greatest(value, 1).log10().floor() - (DIGITS - 1), 0)
    unit = (ibis.literal(10.0) ** surplus).cast("int64")
    return (value - value % unit).cast("int64")

"""Which claim is computed by which recipe: one entry for every key of data/published/claims.csv."""

from pipeline.present.claims.levers import (
    LeversCombined,
    ModelsAndRouting,
    NextHardware,
    PublishedProduct,
    ServingTogether,
    SingleLevers,
)
from pipeline.present.claims.recipes import (
    AUTHORS,
    CANNOT,
    Comparator,
    Fleet,
    Query,
    RangeOver,
    Ratio,
    Recipe,
    Scaled,
    TokenLengths,
    Unresolved,
)
from pipeline.present.claims.water import WaterAtSites
from pipeline.units import JOULES_PER_WH

REGIMES = ["short", "long"]
MODELS = {
    "deepseek-r1": "DeepSeek-R1",
    "llama_3_1_405b": "Llama 3.1 405B",
    "nemotron_ultra_253b": "Nemotron Ultra 253B",
    "mixtral_8x22b": "Mixtral 8x22B",
    "llama_3_1_70b": "Llama 3.1 70B",
}
BLEND = "blend"
PATHWAYS = {
    "baseline": BLEND,
    "model": "blend + model",
    "serving": "blend + serving",
    "hardware": "blend + hardware",
}
LEVERS = ["model", "serving", "hardware"]
GROUPS = ["routing", "serving", "hardware"]
COMPUTER_W, MICROWAVE_W = 40.0, 1000.0  # the appliances that the blog names
TWO_DECIMALS = (2, 2, 2)
THREE_DECIMALS = (3, 3, 3)


def _blend(variant: str, regime: str, decimals: tuple[int, int, int] | None = None) -> Query:
    return Query(variant=variant, regime=regime, subject=BLEND, decimals=decimals)


def _released(variant: str, regime: str, subject: str) -> Query:
    return Query(
        variant=variant, regime=regime, subject=subject, compared_with=AUTHORS, decimals=THREE_DECIMALS
    )


def _earlier_over_ours() -> RangeOver:
    """The three estimates of Table 1 that rest on no production-like serving, over our medians."""
    pairs = (
        ("v2.t1.70b.aienergyscore", Query(variant="v2", regime="short", subject=MODELS["llama_3_1_70b"])),
        ("v2.t1.mixtral.iea", Query(variant="v2", regime="short", subject=MODELS["mixtral_8x22b"])),
        ("v2.t1.r1.iea", Query(variant="v2", regime="short", subject=MODELS["deepseek-r1"])),
    )
    return RangeOver(pairs=pairs, reason=OVERESTIMATE, explain=True)


def _lengths(regime: str, subject: str, whose: str) -> TokenLengths:
    return TokenLengths(
        variant="v2", regime=regime, subject=subject, compared_with=AUTHORS, reason=LENGTHS.format(whose)
    )


def _comparator(key: str, reason: str) -> Comparator:
    """A comparator of Table 1; which row was taken is told with every verdict."""
    return Comparator(key=key, reason=reason, explain=True)


WATER = (
    "No derivation is published. Our median query, with lengths as in production, takes {published} mL on "
    "site over Microsoft's own sites, from a design that takes none to its region that takes most, and "
    "{microsoft_today} mL at its largest sites; queries of the published energies take {published_p25} to "
    "{published_p75} mL between their quartiles at the former. Both ends of the range are found among what "
    "Microsoft publishes (data/results/water_claim_assumptions.csv); the water of the electricity, which is "
    "more, is not in them."
)
LEAST = (
    "The source measured several batch sizes and the paper does not name one: the row that takes least has "
    "{value} Wh, the one that takes most {high} Wh, both of the accelerators alone, where the paper's own "
    "values are those of the facility."
)
TOKENS_UNMATCHED = " No row has both the joules and the output tokens that the paper gives."
PRECISION_UNKNOWN = (
    " These rows are in BF16; the paper brings them to FP8 by a factor that it does not give and that should "
    "lower them. A row of a smaller batch, as measured, would print as the paper has it."
)
BETWEEN_GPUS = (
    "The source's row was measured on B200: {low} Wh of the accelerators. Brought to H100 by models that "
    "were measured on both at that batch it is {value} Wh; the printed value needs a factor that none of "
    "them shows at any batch, and how it was obtained is not published."
)
NO_ROWS = "The source's own rows, and what they include, are not at hand: the paper alone quotes the value."
ONLY_JOULES = "The paper quotes 180 J, which is 0.05 Wh; the source's own rows are not at hand."
NO_ROW_OF_MODEL = (
    "The model is not among the source's rows at hand, models of its size there differ more than tenfold, "
    "and the factor by which FP16 was brought to FP8 is not published."
)
MULTIPLIED = (
    "No released script computes it; the three levers multiplied give {value} ({low} to {high}, quartiles), "
    "so the printed upper end is about the median of the product; with overlaps the fitted model gives "
    "{short} on short and {long} on long queries in the median."
)
COMBINED = (
    "Each lever on what the others leave, the fitted model gains {long} on long and {short} on short queries "
    "in the median, and the range holds {percent_long} % and {percent_short} % of our draws; without what "
    "services do already it is {to_come_long} and {to_come_short}, on evidence of grade A or B alone, which "
    "leaves out routing, {graded_long} and {graded_short}; on the accelerators of today its lower end takes "
    "{needed_long} % of long or {needed_short} % of short queries on small models."
)
OVERESTIMATE = (
    "The earlier estimates are not named; those of Table 1 that rest on no production-like serving "
    "are {low} to {high} times our medians."
)
LENGTHS = (
    "The printed quartiles are those of {} ({{low}} to {{high}}) but the printed median is the setting; "
    "the median of those draws is {{value}}."
)
ROUTED = (
    "A commercial router set to quality, balanced or cost takes {quality}, {balanced} or {cost} times less "
    "energy than its largest model alone, if its models have the sizes that others assume and write the same "
    "number of tokens: the range is that of the balanced to the cost profile. Phi-4 for all queries would "
    "take {phi} times less, small models for a share that we assume {routed}; how the answers compare is not "
    "published."
)
SINGLE = (
    "The released multipliers have medians from {low} to {high}; by the fitted model, routing to small "
    "models, serving and hardware, each alone on short or on long queries, have {modelled_low} to "
    "{modelled_high}."
)
SERVED = (
    "By the fitted model, cached prompts, adaptive capacity, prefill apart and lower clocks together gain "
    "{together} on long queries ({most} at the 95th percentile); 5 takes larger batches too (from 8 to as "
    "many requests as configured: {batching}), or prefill apart at one tight objective (at most "
    "{disaggregated})."
)
MOVED = (
    "At equal serving and in eight bits, newer accelerators gain {moved} on short queries ({least} to "
    "{most}, 90 % over four chips and what is not known), in four bits {four_bit}; measured energy of B200 "
    "against H100 is {measured} (accelerators alone), Maia 200 is {maia} by its data sheet in the fitted "
    "model."
)

PRINTED: dict[str, Recipe] = {
    "v2.blend.short": _blend("v2", "short"),
    "v2.blend.long": _blend("v2", "long"),
    "v2.ratio": Ratio(numerator=_blend("v2", "long"), denominator=_blend("v2", "short")),
    "v2.fleet.short": Fleet(variant="v2", scenario="short"),
    "v2.fleet.mixed": Fleet(variant="v2", scenario="mixed"),
    "v2.fleet.mixed_improved": Fleet(variant="v2", scenario="mixed_improved"),
    "v2.overestimate": _earlier_over_ours(),
    "v2.combined": PublishedProduct(reason=MULTIPLIED),
    "v1.blend.short": _blend("v1", "short"),
    "v1.blend.long": _blend("v1", "long"),
    "v1.fleet.short": Fleet(variant="v1", scenario="short"),
    "v1.fleet.mixed": Fleet(
        variant="v1",
        scenario="mixed",
        reason="The node powers of version 1 with the released fleet factors give {value} GWh/day.",
    ),
    "v1.fleet.mixed_improved": Fleet(variant="v1", scenario="mixed_improved"),
    "v1.levers": SingleLevers(groups=GROUPS, levers=LEVERS, reason=SINGLE, explain=True),
    "blog.short": _blend("v2", "short", decimals=TWO_DECIMALS),
    "blog.overestimate": _earlier_over_ours(),
    "blog.models": ModelsAndRouting(reason=ROUTED),
    "blog.water": WaterAtSites(
        variant="production_lengths",
        published_variant="v2",
        regime="short",
        scenarios=("published", "microsoft_today"),
        scope="onsite",
        reason=WATER,
    ),
    "blog.serving": ServingTogether(regime="long", reason=SERVED),
    "blog.hardware": NextHardware(reason=MOVED),
    "blog.combined": LeversCombined(wanted="blog.combined", reason=COMBINED),
    "blog.fleet.short": Fleet(variant="v2", scenario="short"),
    "blog.fleet.improved": Fleet(variant="v2", scenario="short_improved"),
    "blog.pc": Scaled(
        of=_blend("v2", "short"),
        factor=JOULES_PER_WH / COMPUTER_W,
        reason="The quartiles of the blend run such a computer for {low} to {high} s.",
    ),
    "blog.microwave": Scaled(
        of=_blend("v2", "short"), factor=JOULES_PER_WH / MICROWAVE_W, decimals=(1, 1, 0)
    ),
    "v2.tokens.short": _lengths("short", "Nemotron Ultra 253B", "one model's draws"),
    "v2.tokens.long": _lengths("long", "histogram", "the draws made for a histogram"),
}

RELEASED: dict[str, Recipe] = {
    **{
        f"v2.{regime}.{key}": _released("v2", regime, subject)
        for regime in REGIMES
        for key, subject in MODELS.items()
    },
    **{
        f"v2.{regime}.pathway.{key}": _released("v2", regime, subject)
        for regime in REGIMES
        for key, subject in PATHWAYS.items()
    },
    **{
        f"v2.fleet.{scenario}.code": Fleet(
            variant="v2", scenario=scenario, compared_with=AUTHORS, decimals=decimals
        )
        for scenario, decimals in {
            "short": THREE_DECIMALS,
            "short_improved": THREE_DECIMALS,
            "mixed": THREE_DECIMALS,
            "mixed_improved": THREE_DECIMALS,
            "long": TWO_DECIMALS,
            "long_improved": TWO_DECIMALS,
        }.items()
    },
    **{f"v2.sens.pu.{regime}": _released("v2_power_coupled", regime, BLEND) for regime in REGIMES},
    **{
        f"v2.sens.input{tokens}.{regime}": _released(f"v2_input_{tokens}", regime, BLEND)
        for regime in REGIMES
        for tokens in (500, 1000, 5000)
    },
}

TABLE_1: dict[str, Recipe] = {
    "v2.t1.70b.mlenergy": _comparator("v2.t1.70b.mlenergy", LEAST + TOKENS_UNMATCHED),
    "v2.t1.70b.caravaca": Unresolved(verdict=CANNOT, reason=ONLY_JOULES),
    "v2.t1.70b.aienergyscore": Unresolved(verdict=CANNOT, reason=NO_ROW_OF_MODEL),
    "v2.t1.405b.mlenergy": _comparator("v2.t1.405b.mlenergy", LEAST),
    "v2.t1.mixtral.mlenergy": _comparator("v2.t1.mixtral.mlenergy", LEAST + PRECISION_UNKNOWN),
    "v2.t1.mixtral.iea": Unresolved(verdict=CANNOT, reason=NO_ROWS),
    "v2.t1.r1.iea": Unresolved(verdict=CANNOT, reason=NO_ROWS),
    "v2.t1.r1long.mlenergy": _comparator("v2.t1.r1long.mlenergy", BETWEEN_GPUS),
}

RECIPES: dict[str, Recipe] = {**PRINTED, **RELEASED, **TABLE_1}

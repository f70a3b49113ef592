from pipeline.telemetry import frozen_stages


def test_only_frozen_stages_run_in_their_order() -> None:
    stages = {"fetch": {"frozen": True}, "fit": {}, "ingest": {"frozen": True}, "draw": {"frozen": False}}
    assert list(frozen_stages(stages)) == ["fetch", "ingest"]

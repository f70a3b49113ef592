"""Formats of requests: each a declaration of how it is known and which of its fields are ours.

No text is kept.
"""

from pipeline.logs.cells import header_name
from pipeline.logs.formats.benches import bench_rows, genai_perf_rows, guidellm_rows, mlperf_rows
from pipeline.logs.formats.declare import (
    INPUT,
    OUTPUT,
    REQUEST_FIELDS,
    START,
    Format,
    at,
    first_object,
    has,
    keys,
)
from pipeline.logs.formats.rows import document_rows, record_rows, table_rows

RELATIVE = {"time": ("timestamp",), "model": ("model",), "input_tokens": INPUT, "output_tokens": OUTPUT}
INSIDE = ("response.body", "response", "body", "result")  # where a proxy puts the answer
USAGE = {
    "time": ("start_time", "created", "created_at", "timestamp", "time"), "end": ("end_time", "end"),
    "lasted": ("latency", "latency_ms", "duration", "duration_ms"), "model": ("model",),
    "request": ("id",), "node": ("node", "host"), "status": ("status", "status_code"),
    "failed": ("error",), "input_tokens": ("usage.prompt_tokens", "usage.input_tokens"),
    "output_tokens": ("usage.completion_tokens", "usage.output_tokens"),
    "cached_input_tokens": ("usage.prompt_tokens_details.cached_tokens",
    "usage.input_tokens_details.cached_tokens", "usage.cache_read_input_tokens"),
    "cache_creation": ("usage.cache_creation_input_tokens",),
    "reasoning_tokens": ("usage.completion_tokens_details.reasoning_tokens",
    "usage.output_tokens_details.reasoning_tokens"),
}  # fmt: skip
REQUEST_FORMATS = (
    Format("vLLM bench serve, JSON", "requests", "vLLM 0.11, benchmarks/serve, --save-detailed",
        '{"date": "20260105-000500", "model_id": "m", "duration": 12.5, "input_lens": [1024], '
        '"output_lens": [128],'
        ' "ttfts": [0.1], "itls": [[0.02]], "start_times": [8812.11], "errors": [""]}\n',
        keys("input_lens", "model_id", "date"), document_rows(bench_rows)),
    Format("SGLang bench_serving, JSON lines", "requests",
        "SGLang 0.5, bench_serving --output-details",
        '{"backend": "sglang", "duration": 12.5, "input_lens": [1024], "output_lens": [128], "errors": '
        '[""]}\n', keys("input_lens", "output_lens"), document_rows(bench_rows), of_runs=True),
    Format("guidellm, JSON", "requests", "guidellm 0.3 and 0.4",
        '{"benchmarks": [{"requests": {"successful": [{"request_id": "a", "start_time": 1767571201.0, '
        '"end_time":' ' 1767571205.0, "prompt_tokens": 256, "output_tokens": 128}]}}]}\n',
        lambda head: isinstance(head.json, dict) and isinstance(head.json.get("benchmarks"), list),
        document_rows(guidellm_rows)),
    Format("aiperf profile_export.jsonl", "requests", "aiperf 0.3, profile export",
        '{"metadata": {"x_request_id": "a", "request_start_ns": 1767571201000000000, "request_end_ns":'
        ' 1767571205000000000}, "metrics": {"input_sequence_length": {"value": 550},'
        ' "output_sequence_length": {"value": 128}}, "error": null}\n',
        keys("metadata.request_start_ns", "metrics"), record_rows,
        {"time": ("metadata.request_start_ns",), "end": ("metadata.request_end_ns",),
        "request": ("metadata.x_request_id",), "input_tokens": ("metrics.input_sequence_length.value",),
        "output_tokens": ("metrics.output_sequence_length.value", "metrics.output_token_count.value"),
        "reasoning_tokens": ("metrics.reasoning_token_count.value",),
        "failed": ("error", "metadata.was_cancelled"),
        "model": ("metadata.model", "metadata.model_name")}),
    Format("genai-perf profile_export.json", "requests", "genai-perf 0.0.16",
        '{"experiments": [{"requests": [{"timestamp": 1767571201000000000, "response_timestamps": []}]}]}\n',
        lambda head: isinstance(head.json, dict) and "experiments" in head.json,
        document_rows(genai_perf_rows)),
    Format("OpenAI responses with usage, JSON lines", "requests",
        "OpenAI API, chat.completion object, 2025",
        '{"id": "a", "created": 1767571205, "model": "m", "usage": {"prompt_tokens": 550, '
        '"completion_tokens": 128}}\n', keys("usage"), record_rows, USAGE),
    Format("OpenAI batch output, JSON lines", "requests", "OpenAI API, batch output file, 2025",
        '{"id": "a", "response": {"status_code": 200, "body": {"created": 1767571205, "model": "m", "usage": '
        '{"prompt_tokens": 550, "completion_tokens": 128}}}, "error": null}\n',
        lambda head: any(at(first_object(head), f"{where}.usage") for where in INSIDE), record_rows,
        {ours: tuple(f"{where}{path}" for where in ("",
        *(f"{one}." for one in INSIDE)) for path in paths) for ours, paths in USAGE.items()}),
    Format("Gemini responses, JSON lines", "requests", "Gemini API, GenerateContentResponse, 2025",
        '{"createTime": "2026-01-05T00:00:05Z", "modelVersion": "m", "usageMetadata": '
        '{"promptTokenCount": 550, "candidatesTokenCount": 128, "thoughtsTokenCount": 300}}\n',
        keys("usageMetadata.promptTokenCount"), record_rows, {"time": ("createTime", "timestamp",
        "time"), "model": ("modelVersion", "model"), "request": ("responseId",), "node": ("node",),
        "input_tokens": ("usageMetadata.promptTokenCount",),
        "output_tokens": ("usageMetadata.candidatesTokenCount",),
        "cached_input_tokens": ("usageMetadata.cachedContentTokenCount",),
        "reasoning_tokens": ("usageMetadata.thoughtsTokenCount",)},
        notes=("thoughts are not among the candidates' tokens",)),
    Format("Ollama responses, JSON lines", "requests", "Ollama 0.12, api/generate and api/chat",
        '{"model": "m", "created_at": "2026-01-05T00:00:05Z", "total_duration": 5000000000, '
        '"prompt_eval_count": 550, "eval_count": 128}\n',
        keys("total_duration", "eval_count", "created_at"), record_rows, {"time": ("created_at",),
        "lasted": ("total_duration",), "model": ("model",), "node": ("node", "host"),
        "input_tokens": ("prompt_eval_count",), "output_tokens": ("eval_count",)}, ends_at=True),
    Format("Mooncake trace, JSON lines", "requests", "Mooncake, FAST 25 release",
        '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46]}\n',
        keys("timestamp", "input_length", "output_length"), record_rows, RELATIVE, relative=1e3),
    Format("MLPerf loadgen detail log", "requests", "MLPerf loadgen 5.1",
        ':::MLLOG {"key": "power_begin", "value": "07-29-2025 18:30:32.298"}\n',
        lambda head: head.lines[0].startswith(":::MLLOG "), mlperf_rows, of_runs=True),
    Format("LiteLLM spend log, CSV", "requests", "LiteLLM 1.75, LiteLLM_SpendLogs",
        "request_id,startTime,endTime,model,prompt_tokens,completion_tokens,api_base,status\n"
        "a,2026-01-05 00:00:01.123+00:00,2026-01-05 "
        "00:00:05.456+00:00,m,550,128,http://node-1:8000/v1,success\n",
        has(("start_time",), ("prompt_tokens",), ("completion_tokens",)), table_rows, REQUEST_FIELDS),
    Format("Azure LLM inference trace, CSV", "requests",
        "AzurePublicDataset, LLM traces 2023 and 2024",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-01-05 00:00:00.009930+00:00,2162,5\n",
        has(("timestamp",), ("context_tokens",), ("generated_tokens",)), table_rows, REQUEST_FIELDS,
        notes=("only when requests came is known: all tokens count then",)),
    Format("BurstGPT trace, CSV", "requests", "BurstGPT 1.1",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log "
        "Type\n5,ChatGPT,472,18,490,Conversation log\n",
        has(("timestamp",), ("request_tokens",), ("response_tokens",)), table_rows, RELATIVE,
        relative=1e6),
    Format("requests in a table", "requests", "our own contract in other words",
        "time;end;node;model;input_tokens;output_tokens\n05.01.2026 00:00:06;05.01.2026 "
        "00:00:34;n;m;1.818;272\n", has(START, INPUT, OUTPUT), table_rows, REQUEST_FIELDS),
    Format("requests in JSON lines", "requests", "our own contract in other words",
        '{"start": 1767571201.0, "end": 1767571205.0, "model": "m", "prompt_tokens": 550, '
        '"completion_tokens": 128}\n', lambda head: (isinstance(first_object(head),
        dict) and all({*names} & {header_name(key) for key in first_object(head)} for names in (INPUT,
        OUTPUT))), record_rows, REQUEST_FIELDS),
)  # fmt: skip

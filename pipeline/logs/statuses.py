"""Words of how a request ended, as gateways, servers and load generators write them."""

import ibis
import ibis.expr.types as ir

SUCCEEDED = [
    "",
    "ok",
    "success",
    "succeeded",
    "successful",
    "completed",
    "complete",
    "done",
    "stop",
    "length",
    "true",
    "finished",
    "eos",
    "tool_calls",
    "function_call",
    "content_filter",
    "none",
]
FAILED = [
    "failed",
    "failure",
    "fail",
    "error",
    "errored",
    "timeout",
    "timed_out",
    "cancelled",
    "canceled",
    "aborted",
    "abort",
    "incomplete",
    "rejected",
    "false",
    "rate_limited",
    "exception",
    "dropped",
    "throttled",
    "overloaded",
    "preempted",
    "disconnected",
    "killed",
    "server_error",
    "internal_error",
    "bad_request",
]
HTTP = r"^[1-5][0-9][0-9](?:[.]0)?(?: [a-z -]+)?$"
HTTP_FAILED = r"^[1345][0-9][0-9](?:[.]0)?(?: [a-z -]+)?$"


def status_known(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a word says how a request ended; a blank one says that nothing failed."""
    word = status.fill_null("").strip().lower()
    return word.isin([*SUCCEEDED, *FAILED]) | word.re_search(HTTP)


def status_failed(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a request failed."""
    word = status.fill_null("").strip().lower()
    return ibis.or_(word.isin(FAILED), word.re_search(HTTP_FAILED))

"""Exports one span, gzipped, to the collector whose address is the argument."""

import gzip
import sys
from urllib.request import Request, urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

request = ExportTraceServiceRequest()
of_resource = request.resource_spans.add()
of_resource.resource.attributes.add(key="service.name").value.string_value = "somebody"
span = of_resource.scope_spans.add().spans.add(
    trace_id=b"a" * 16,
    span_id=b"b" * 8,
    name="publish",
    kind=Span.SPAN_KIND_CLIENT,
    status=Status(code=Status.STATUS_CODE_ERROR, message="refused"),
)
span.attributes.add(key="http.response.status_code").value.int_value = 200
span.links.add(trace_id=b"a" * 16, span_id=b"c" * 8)

headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
with urlopen(Request(f"{sys.argv[1]}/v1/traces", gzip.compress(request.SerializeToString()), headers)) as answer:
    assert answer.status == 200

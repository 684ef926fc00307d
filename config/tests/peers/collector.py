"""rotel, a collector, on free ports, which this prints (over HTTP, over gRPC); then each span that it passes on, as one
line of JSON.

rotel takes OTLP as any collector does (plain or gzip); what it exports is decoded here with OpenTelemetry's own protobuf
classes. Ends when its standard input does.
"""

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import rotel
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value(each) for each in any_value.array_value.values]
    if kind == "kvlist_value":
        return attributes(any_value.kvlist_value.values)
    found = getattr(any_value, kind)
    return found.hex() if isinstance(found, bytes) else found


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def spans(request):
    for of_resource in request.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield {
                    "resource": attributes(of_resource.resource.attributes),
                    "scope": of_scope.scope.name,
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "parent_span_id": span.parent_span_id.hex(),
                    "name": span.name,
                    "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    "start_time_unix_nano": span.start_time_unix_nano,
                    "end_time_unix_nano": span.end_time_unix_nano,
                    "attributes": attributes(span.attributes),
                    "events": [{"name": each.name, "attributes": attributes(each.attributes)} for each in span.events],
                    "links": [{"trace_id": each.trace_id.hex(), "span_id": each.span_id.hex()} for each in span.links],
                    "status": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
                    "status_message": span.status.message,
                }


class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for span in spans(ExportTraceServiceRequest.FromString(body)):
            sys.stdout.write(json.dumps(span) + "\n")
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def start(sink_port):
    """Starts rotel and waits until it listens; nothing if another program took its port first."""
    grpc, http = free_port(), free_port()
    process = subprocess.Popen(
        [Path(rotel.__file__).with_name("rotel-agent"), "start"]
        + ["--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}"]
        + ["--exporter", "otlp", "--otlp-exporter-protocol", "http", "--batch-timeout", "20ms"]
        + ["--otlp-exporter-endpoint", f"http://127.0.0.1:{sink_port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:
        try:
            for port in http, grpc:
                socket.create_connection(("127.0.0.1", port)).close()
            return process, f"http://127.0.0.1:{http} http://127.0.0.1:{grpc}"
        except ConnectionRefusedError:
            time.sleep(0.02)
    return None


def end_with(process):
    os._exit(process.wait())


sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
threading.Thread(target=sink.serve_forever, daemon=True).start()
process, endpoints = next(filter(None, (start(sink.server_port) for _ in range(5))))
threading.Thread(target=end_with, args=(process,), daemon=True).start()
try:
    print(endpoints)
    sys.stdin.read()
finally:  # the pipes are broken if the test was killed
    process.kill()
    process.wait()
    os._exit(0)

"""What the harness costs: scoring many predictions, and how busy it keeps a server that answers after a fixed delay.

python benchmarks/speed/harness.py
python benchmarks/speed/harness.py --json > benchmarks/results/harness.json    # kept; `make docs` makes a table of it
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from provenance import describe_run
from speed_tables import format_harness

from distortlab.imaging.encode import encode_png
from refine_bench.models.base import Request
from refine_bench.models.endpoint import Endpoint
from refine_bench.prompts.protocols import Decoding
from refine_bench.scoring.score_predictions import score_predictions

PREDICTIONS, REQUESTS, CONCURRENCY, DELAY = 10_000, 1_600, 32, 0.25


class Handler(BaseHTTPRequestHandler):
    """Answers after `DELAY`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words: Any) -> None:
        """Nothing."""

    def _send(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """The list of models."""
        self._send({"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        """An answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(DELAY)
        self._send({"choices": [{"message": {"content": "<answer>3.00</answer>"}, "finish_reason": "stop"}]})


def serve(port: Any) -> None:
    ThreadingHTTPServer.request_queue_size = 256
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(http.server_address[1])
    http.serve_forever()


def make_requests(image: bytes) -> Iterator[Request]:
    for k in range(REQUESTS):
        yield Request(str(k), str(k), 0, (image,), "Rate the quality of the image.", Decoding(max_tokens=16), k)


def measure_endpoint() -> dict[str, float]:
    """Seconds and CPU of this process for requests that a server answers after `DELAY`."""
    port: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    image = encode_png(np.random.default_rng(0).integers(0, 60, (256, 256, 3), dtype=np.uint8))
    model = Endpoint(f"openai:http://127.0.0.1:{port.get()}/v1#m", concurrency=CONCURRENCY)
    start, cpu = time.perf_counter(), time.process_time()
    failed = sum(response.answer.error is not None for response in model.answer(make_requests(image)))
    took, used = time.perf_counter() - start, time.process_time() - cpu
    server.terminate()
    if failed:
        raise SystemExit(f"{failed} of {REQUESTS} requests failed")
    asked = {"requests": REQUESTS, "bytes": len(image), "concurrency": CONCURRENCY, "delay": DELAY}
    return {**asked, "seconds": round(took, 3), "cpu": round(used, 3)}


def measure_scoring() -> dict[str, float]:
    """Seconds and CPU for scoring predictions, with their intervals and both curves."""
    rng = np.random.default_rng(0)
    quality = rng.uniform(1, 5, PREDICTIONS)
    scores = np.clip(quality + rng.normal(0, 0.6, PREDICTIONS), 1, 5)
    rows = [
        {"image": f"{k}.jpg", "score": s, "gt_score": q} for k, (s, q) in enumerate(zip(scores, quality, strict=True))
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outputs.json"
        path.write_text(json.dumps(rows))
        start, cpu = time.perf_counter(), time.process_time()
        score_predictions(path, "koniq:all", None)
    took, used = time.perf_counter() - start, time.process_time() - cpu
    return {"predictions": PREDICTIONS, "seconds": round(took, 3), "cpu": round(used, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print what was measured, and with what, as JSON")
    given = parser.parse_args()
    about = describe_run("benchmarks/speed/harness.py", sys.argv[1:])
    measured = {"about": about, "scoring": measure_scoring(), "endpoint": measure_endpoint()}
    print(json.dumps(measured, indent=1) if given.json else format_harness(measured))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What a receiver of callbacks that never answers costs the pushes.

    cargo build --release -p lastframe
    bench/api/black_hole.py target/release/lastframe [--turns 5] [--seconds 10]

Encoders come, push for a second on average, and go (`lab load --churn`). Three servers take turns: one that tells nobody, one
whose receiver answers at once, and one whose receiver takes every connection and never says a word. The server is pinned to
one core, load and receiver to the other. CPU a push is user and system time of the server divided by the pushes that ended;
ratios are taken within a turn.
"""

import argparse
import http.server
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SERVER_CORE, LOAD_CORE = "1", "0"
ID, SECRET = "bench", "the-secret-of-the-bench"
CONFIG = """
[rtmp]
listen = "127.0.0.1:{rtmp}"
[http]
listen = "127.0.0.1:{http}"
[callback]
allow_private = true
[[account]]
id = 7
status = "active"
[[api_key]]
id = "{id}"
secret = "{secret}"
[[domain]]
name = "localhost"
account = 7
auth = false
"""
ORDER = ["nobody", "answers", "black hole"]


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    taken = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        type(self).taken += 1
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def answering():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1], server.shutdown


def black_hole():
    """Accepts, reads, and is silent."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    held = []

    def accept():
        while True:
            try:
                held.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1], listener.close


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(dir=".")
        self.rtmp, self.http = free_port(), free_port()
        config = os.path.join(self.folder.name, "bench.toml")
        with open(config, "w") as file:
            file.write(CONFIG.format(rtmp=self.rtmp, http=self.http, id=ID, secret=SECRET))
        command = ["taskset", "-c", SERVER_CORE, program, "--config", config]
        command += ["--data", os.path.join(self.folder.name, "data"), "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"the server ended at its start: {self.process.returncode}")
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("the server does not get ready")

    def get(self, path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", method=method)
        request.add_header("authorization", f"Bearer {ID}:{SECRET}")
        request.add_header("content-type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.urlopen(request, data).read().decode()

    def tell(self, port):
        url = f"http://127.0.0.1:{port}/"
        urls = {"stream_begin": url, "stream_end": url, "push_exception": url}
        made = json.loads(self.get("/api/v1/callbacks/templates", "POST", {"account": 7, "name": "all", "urls": urls}))
        rule = {"domain": "localhost", "app": "*", "template": made["id"]}
        self.get("/api/v1/callbacks/rules", "PUT", rule)

    def ended(self):
        return sum(float(n) for n in re.findall(r"(?m)^lastframe_push\w*ended_total\{.*\} (\S+)$", self.get("/metrics")))

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.folder.cleanup()


def turn(program, receiver, given):
    server = Server(program)
    stop = None
    try:
        if receiver != "nobody":
            port, stop = answering() if receiver == "answers" else black_hole()
            server.tell(port)
        command = ["taskset", "-c", LOAD_CORE, program, "lab", "load", "--publishers", str(given.publishers)]
        command += ["--kbps", "50", "--fps", "5", "--churn", "1s", "--seconds", str(given.seconds)]
        command += ["--target", f"rtmp://127.0.0.1:{server.rtmp}/live"]
        before, began = server.cpu(), time.perf_counter()
        load = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        time.sleep(1)
        used, ended, seconds = server.cpu() - before, server.ended(), time.perf_counter() - began
        report = json.loads(load.stdout)
        tries = len(json.loads(server.get("/api/v1/callbacks/deliveries?limit=500"))["deliveries"])
        return {"us": used / ended * 1e6, "ended": ended, "rate": ended / seconds, "report": report, "tries": tries}
    finally:
        server.stop()
        if stop:
            stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--publishers", type=int, default=200)
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    found = {receiver: [] for receiver in ORDER}
    for number in range(given.turns):
        shift = number % len(ORDER)
        for receiver in ORDER[shift:] + ORDER[:shift]:
            one = turn(given.program, receiver, given)
            found[receiver].append(one)
            refused = {k: v for k, v in one["report"].items() if k in ("refusals", "lost", "publish_ms")}
            print(f"turn {number + 1}, {receiver}: {one['us']:.0f} us a push, {one['ended']:.0f} pushes, "
                  f"{one['rate']:.0f}/s, deliveries kept {one['tries']}, {json.dumps(refused)}", flush=True)
    print(f"\nload average {open('/proc/loadavg').read().split()[0]}; median (min to max)")
    for receiver in ORDER:
        cost = [one["us"] for one in found[receiver]]
        ratio = [one["us"] / base["us"] for one, base in zip(found[receiver], found["nobody"])]
        rate = [one["rate"] for one in found[receiver]]
        print(f"{receiver:12} {statistics.median(cost):6.0f} us a push, "
              f"{statistics.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f}) of nobody, "
              f"{statistics.median(rate):.0f} pushes/s")


main()

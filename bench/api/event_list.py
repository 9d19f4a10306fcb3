#!/usr/bin/env python3
"""What a call of DescribeLiveStreamEventList costs the server: CPU a call, and calls a second on one core.

    cargo build --release -p lastframe -p store --example store_bench
    target/release/examples/store_bench fill target/five-million 5000000 29
    bench/api/event_list.py target/release/lastframe target/five-million [CASE...] [--seconds 5]

The server runs on one core and this program on the other. Each call is signed with TC3-HMAC-SHA256 as the official
clients do it, over connections that are kept. The record files are read once before, so that they are in the system's page
cache. In all cases but `same` no question is asked twice. `stub` asks for a page that no record is on, so it is what the
call itself costs. Whoever else is on the machine slows the calls, but hardly changes their CPU: "calls a second of CPU" is
one second divided by the CPU of a call. The first thousands of calls of `stream`, `hour` and `day` after a start also pay
for the indexes that are made of the days they ask for; name a case twice to see it without.
"""

import argparse
import datetime
import hashlib
import hmac
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SERVER_CORE, LOAD_CORE = "1", 0
STREAMS, DOMAINS = 200_000, 50
ACCOUNT, ID, SECRET = 1_000_000_008, "bench", "the-secret-of-the-bench"
ACTION = "DescribeLiveStreamEventList"
CONFIG = """
[rtmp]
listen = "127.0.0.1:{rtmp}"
[http]
listen = "127.0.0.1:{http}"
[css]
rate_limits = false
[[account]]
id = {account}
status = "active"
[[api_key]]
id = "{id}"
secret = "{secret}"
account = {account}
[[api_key]]
id = "{id}-all"
secret = "{secret}"
"""


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Questions:
    """Parameters of calls, by case; `days` is what the records span."""

    def __init__(self, days):
        self.random = random.Random(1)
        self.end = int(time.time()) // 86_400 * 86_400
        self.begin = self.end - days * 86_400
        self.count = 0

    def window(self, hours):
        start = self.random.randrange(self.begin, self.end - hours * 3_600)
        return {"StartTime": utc(start), "EndTime": utc(start + hours * 3_600)}

    def of(self, case):
        roll = self.random.randrange
        self.count += 1
        whole = {"StartTime": utc(self.begin + self.count % 3_000), "EndTime": utc(self.end - self.count // 3_000)}
        if case == "same":
            return {"StartTime": utc(self.begin), "EndTime": utc(self.end)}
        if case == "stub":
            return {"StartTime": utc(self.begin - self.count), "EndTime": utc(self.begin - self.count)}
        if case == "stream":
            number = roll(STREAMS)
            name = f"stream-{number:06x}-{['main', 'camera', '配信', 'studio'][number % 4]}"
            return whole | {"StreamName": name, "IsStrict": 1}
        if case == "stream-day":
            number = roll(STREAMS)
            name = f"stream-{number:06x}-{['main', 'camera', '配信', 'studio'][number % 4]}"
            return self.window(24) | {"StreamName": name, "IsStrict": 1}
        if case == "part":
            return whole | {"StreamName": f"{roll(STREAMS):06x}"}
        if case == "hour":
            return self.window(1) | {"DomainName": f"push{roll(DOMAINS)}.example.com"}
        if case == "day":
            return self.window(24) | {"DomainName": f"push{roll(DOMAINS)}.example.com", "IsAsc": roll(2)}
        if case == "own-day":
            return self.window(24) | {"DomainName": "push7.example.com", "IsAsc": roll(2)}
        if case == "month":
            return whole | {"PageNum": 1 + roll(1_000)}
        if case == "app":
            return whole | {"AppName": "live", "PageNum": 1 + roll(1_000)}
        if case == "filtered":
            return whole | {"DomainName": "push7.example.com", "IsFilter": 1, "PageNum": 1 + roll(1_000)}
        if case == "everything":
            return whole | {"PageNum": 1 + roll(1_000)}
        raise SystemExit(f"there is no case {case}: {', '.join(CASES)}")


# What is asked, and with which key: that of one account (a fiftieth of all records), or one for all.
CASES = {
    "stub": ("nothing: a page that no record is on", ID),
    "same": ("the same page again", ID),
    "stream": ("one stream by its name, 29 days", ID + "-all"),
    "stream-day": ("one stream by its name, a day", ID + "-all"),
    "part": ("streams by a part of the name, 29 days", ID + "-all"),
    "hour": ("a domain, an hour", ID + "-all"),
    "day": ("a domain, a day", ID + "-all"),
    "own-day": ("the domain of an account, a day", ID),
    "month": ("all of an account, 29 days, any page", ID),
    "app": ("an app of an account, 29 days, any page", ID),
    "filtered": ("a domain, IsFilter=1, 29 days, any page", ID),
    "everything": ("all accounts, 29 days, any page", ID + "-all"),
}


class Signer:
    def __init__(self, host, secret_id):
        self.host, self.secret_id, self.keys = host, secret_id, {}

    def key(self, date):
        if date not in self.keys:
            key = ("TC3" + SECRET).encode()
            for part in (date, "live", "tc3_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self.keys[date] = key
        return self.keys[date]

    def request(self, parameters):
        body = json.dumps(parameters).encode()
        now = int(time.time())
        date = utc(now)[:10]
        canonical = (
            f"POST\n/\n\ncontent-type:application/json\nhost:{self.host}\n\ncontent-type;host\n"
            + hashlib.sha256(body).hexdigest()
        )
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"TC3-HMAC-SHA256\n{now}\n{date}/live/tc3_request\n{hashed}"
        signature = hmac.new(self.key(date), text.encode(), hashlib.sha256).hexdigest()
        head = (
            f"POST / HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Authorization: TC3-HMAC-SHA256 Credential={self.secret_id}/{date}/live/tc3_request, "
            f"SignedHeaders=content-type;host, Signature={signature}\r\n"
            f"X-TC-Action: {ACTION}\r\nX-TC-Version: 2018-08-01\r\nX-TC-Timestamp: {now}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held, self.asked_at = b"", 0.0

    def ask(self, request):
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self):
        """The body of the answer once it is whole."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise SystemExit("the server has closed a connection")
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length:
            return None
        self.held = b""
        return body


def drive(address, requests, seconds, connections):
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = Connection(address)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(next(requests))
    began, took, entries = time.perf_counter(), [], 0
    while (now := time.perf_counter()) < began + seconds:
        for ready, _ in selector.select():
            connection = ready.data
            body = connection.read()
            if body is None:
                continue
            if b'"Error"' in body:
                raise SystemExit(f"refused: {body.decode()}")
            took.append(time.perf_counter() - connection.asked_at)
            entries += body.count(b'"StreamStartTime"')
            connection.ask(next(requests))
    # What is under way is answered before the CPU is read.
    for key in list(selector.get_map().values()):
        while key.data.read() is None:
            pass
        took.append(time.perf_counter() - key.data.asked_at)
        key.data.socket.close()
    return len(took), now - began, sorted(took), entries


class Server:
    def __init__(self, program, data):
        self.ports = [free_port(), free_port()]
        self.config = tempfile.NamedTemporaryFile("w", suffix=".toml")
        rtmp, http = self.ports
        self.config.write(CONFIG.format(rtmp=rtmp, http=http, account=ACCOUNT, id=ID, secret=SECRET))
        self.config.flush()
        command = ["taskset", "-c", SERVER_CORE, program, "--config", self.config.name, "--data", data, "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address = ("127.0.0.1", http)
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended at its start: {self.process.returncode}; is the folder in use?")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{http}/readyz").read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server does not get ready")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def warm(folder):
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            while file.read(1 << 20):
                pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("case", nargs="*")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    shutil.which("taskset") or sys.exit("taskset is missing")
    cases = given.case or list(CASES)
    days = len(os.listdir(os.path.join(given.data, "records"))) if os.path.isdir(given.data) else 0
    days = len({name[8:16] for name in os.listdir(os.path.join(given.data, "records"))}) if days else 0
    days or sys.exit(f"{given.data} holds no records: make them with store_bench fill")
    os.sched_setaffinity(0, {LOAD_CORE})
    warm(os.path.join(given.data, "records"))
    server = Server(given.program, given.data)
    try:
        questions = Questions(days)
        print(f"load average {open('/proc/loadavg').read().split()[0]}, {days} days, {given.connections} connections")
        print(f"{'case':44} {'calls/s':>8} {'CPU us':>7} {'calls/CPU s':>11} {'p50 ms':>7} {'p99 ms':>7} {'entries':>7}")
        for case in cases:
            what, secret_id = CASES.get(case) or sys.exit(f"there is no case {case}: {', '.join(CASES)}")
            signer = Signer(f"127.0.0.1:{server.ports[1]}", secret_id)
            requests = (signer.request(questions.of(case)) for _ in iter(int, 1))
            drive(server.address, requests, min(1, given.seconds / 4), given.connections)
            before = server.cpu()
            calls, seconds, took, entries = drive(server.address, requests, given.seconds, given.connections)
            used = server.cpu() - before
            at = lambda share: took[int((len(took) - 1) * share)] * 1e3
            print(
                f"{what:44} {calls / seconds:8.0f} {used / calls * 1e6:7.0f} {calls / max(used, 1e-9):11.0f} "
                f"{at(0.5):7.2f} {at(0.99):7.2f} {entries / calls:7.1f}",
                flush=True,
            )
    finally:
        server.stop()


main()

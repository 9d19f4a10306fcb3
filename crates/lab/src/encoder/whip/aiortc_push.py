"""Pushes a picture of noise and silence by WHIP with aiortc; stopped by SIGINT or SIGTERM it deletes its session."""

import asyncio
import os
import signal
import sys
import urllib.parse
import urllib.request

from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

NOISE = 4_000


class Noise(VideoStreamTrack):
    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(320, 240, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        first = frame.planes[0]
        first.update(os.urandom(NOISE) + bytes([128]) * (first.buffer_size - NOISE))
        frame.pts, frame.time_base = pts, time_base
        return frame


def ask(method, url, body=None):
    headers = {"Content-Type": "application/sdp"} if body else {}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return answer.headers, answer.read().decode()


async def main(url):
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connection = RTCPeerConnection()
    connection.addTransceiver(Noise(), direction="sendonly")
    connection.addTransceiver(AudioStreamTrack(), direction="sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp.encode()
    headers, answer = await asyncio.to_thread(ask, "POST", url, offer)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await stop.wait()
    await asyncio.to_thread(ask, "DELETE", urllib.parse.urljoin(url, headers["Location"]))
    await connection.close()


asyncio.run(main(sys.argv[1]))

// Pushes over WebRTC what ffmpeg packs into RTP, by werift: werift.mjs URL CODEC PACKAGES, where PACKAGES is the folder that
// has werift. Ends when its input does, and deletes the session then.
import { createRequire } from "node:module";
import { spawn } from "node:child_process";
import dgram from "node:dgram";

const [url, codec, packages] = process.argv.slice(2);
const { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } = createRequire(`${packages}/`)("werift");

const feedback = [{ type: "nack" }, { type: "nack", parameter: "pli" }];
// As browsers that have it offer it.
const parameters = { H265: "level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST", VP9: "profile-id=0" }[codec];
const pc = new RTCPeerConnection({
  codecs: {
    video: [new RTCRtpCodecParameters({ mimeType: `video/${codec}`, clockRate: 90000, rtcpFeedback: feedback, parameters })],
    audio: [new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48000, channels: 2 })],
  },
});

/** A track that takes what comes to a port of its own, and the port. */
async function track(kind) {
  const made = new MediaStreamTrack({ kind });
  pc.addTransceiver(made, { direction: "sendonly" });
  const socket = dgram.createSocket("udp4");
  await new Promise((bound) => socket.bind(0, "127.0.0.1", bound));
  // RTCP comes to the next port, and is made anew here.
  socket.on("message", (packet) => made.writeRtp(packet));
  return socket.address().port;
}

const [video, audio] = [await track("video"), await track("audio")];
await pc.setLocalDescription(await pc.createOffer());
const headers = { "Content-Type": "application/sdp" };
const answer = await fetch(url, { method: "POST", headers, body: pc.localDescription.sdp });
if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
const resource = new URL(answer.headers.get("Location"), url);
await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
await new Promise((connected) => pc.connectionStateChange.subscribe((state) => state === "connected" && connected()));

const encoders = {
  H265: "libx265 -preset ultrafast -tune zerolatency -x265-params keyint=30:log-level=error",
  VP9: "libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0 -strict experimental",
};
const source = "-hide_banner -loglevel error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i sine=sample_rate=48000";
const options = [
  ...`${source} -map 0:v -c:v ${encoders[codec]} -g 30 -b:v 500k -pix_fmt yuv420p`.split(" "),
  ..."-payload_type 96 -f rtp".split(" "),
  `rtp://127.0.0.1:${video}?pkt_size=1200`,
  ..."-map 1:a -c:a libopus -ac 2 -payload_type 97 -f rtp".split(" "),
  `rtp://127.0.0.1:${audio}?pkt_size=1200`,
];
const ffmpeg = spawn("ffmpeg", options, { stdio: ["ignore", "ignore", "inherit"] });
process.stdin.resume();
await new Promise((ended) => process.stdin.on("end", ended));
ffmpeg.kill("SIGKILL");
await fetch(resource, { method: "DELETE" });
process.exit(0);

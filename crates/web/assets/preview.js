// The preview player: HTTP-FLV with mpegts.js or HLS with hls.js, each loaded when it is asked for.

const room = document.querySelector("[data-preview]");
const video = room?.querySelector("video");
const notice = room?.querySelector("[data-notice]");
const numbers = room?.querySelector("[data-numbers]");

/** @type {{ destroy(): void } | null} */
let player = null;
let asked = 0;

/** @param {string} key */
const say = (key) => {
  if (notice instanceof HTMLElement) {
    notice.textContent = key ? (notice.dataset[key] ?? "") : "";
    notice.hidden = !key;
  }
};

/** @param {string} source */
const script = (source) =>
  new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = source;
    element.addEventListener("load", () => done(undefined));
    element.addEventListener("error", () => failed(new Error(source)));
    document.head.append(element);
  });

/**
 * @param {HTMLVideoElement} screen
 * @param {string} url
 */
const flv = async (screen, url) => {
  const known = () => /** @type {any} */ (window).mpegts;
  if (!known()) await script("/assets/mpegts.js");
  const mpegts = known();
  if (!mpegts?.isSupported()) throw new Error("unsupported");
  const source = { type: "flv", isLive: true, url };
  const made = mpegts.createPlayer(source, { enableWorker: false, liveBufferLatencyChasing: true });
  made.on(mpegts.Events.ERROR, () => say("lost"));
  made.on(mpegts.Events.LOADING_COMPLETE, () => say("ended"));
  made.attachMediaElement(screen);
  made.load();
  return made;
};

/**
 * @param {HTMLVideoElement} screen
 * @param {string} url
 */
const hls = async (screen, url) => {
  const { default: Hls } = await import(new URL("/assets/hls.light.min.mjs", window.location.href).href);
  if (!Hls.isSupported()) throw new Error("unsupported");
  const made = new Hls({ enableWorker: false, lowLatencyMode: true });
  made.on(Hls.Events.ERROR, (/** @type {string} */ _, /** @type {{ fatal: boolean }} */ error) => {
    if (error.fatal) say("lost");
  });
  made.loadSource(url);
  made.attachMedia(screen);
  return made;
};

const play = async () => {
  if (!(room instanceof HTMLElement) || !(video instanceof HTMLVideoElement)) return;
  const turn = ++asked;
  player?.destroy();
  player = null;
  say("");
  const chosen = room.querySelector("input[name=by]:checked");
  const by = chosen instanceof HTMLInputElement ? chosen.value : "flv";
  try {
    const made = await (by === "hls" ? hls(video, room.dataset.hls ?? "") : flv(video, room.dataset.flv ?? ""));
    if (turn !== asked) {
      made.destroy();
      return;
    }
    player = made;
    // A browser may want a click first; the controls are there.
    await video.play().catch(() => undefined);
  } catch {
    if (turn === asked) say("unsupported");
  }
};

if (room instanceof HTMLElement && video instanceof HTMLVideoElement) {
  for (const choice of room.querySelectorAll("input[name=by]")) choice.addEventListener("change", () => void play());
  setInterval(() => {
    if (!(numbers instanceof HTMLElement) || video.videoWidth === 0) return;
    const { totalVideoFrames: shown, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
    const ahead = video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0;
    numbers.textContent = (numbers.dataset.text ?? "")
      .replace("{size}", `${video.videoWidth}×${video.videoHeight}`)
      .replace("{shown}", String(shown))
      .replace("{dropped}", String(dropped))
      .replace("{ahead}", ahead.toFixed(1));
  }, 1000);
  void play();
}

// The cross-hair of a timeline with the values under it, by pointer or by arrow keys, and looking closer at a stretch. The
// server draws each stretch; this asks for it and puts it in place of the one that is shown.

import { localise } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
/** A drag of fewer pixels is a click. */
const SLIP = 6;

/** @param {number} second */
const clock = (second) => {
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
};

/** @param {string} name @param {SVGElement} into @param {Record<string, string>} attributes */
const draw = (name, into, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  into.append(element);
  return element;
};

/** @param {string} address @param {boolean} keep whether the way back leads through it */
const show = async (address, keep) => {
  const present = document.getElementById("timeline");
  if (!present) return;
  const had = present.querySelector(".plot") === document.activeElement;
  const open = present.querySelector("details")?.open ?? false;
  const answer = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
  const text = answer?.ok && !answer.redirected ? await answer.text() : "";
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("timeline");
  if (!fresh) {
    window.location.href = address;
    return;
  }
  localise(fresh);
  const details = fresh.querySelector("details");
  if (details) details.open = open;
  present.replaceWith(fresh);
  if (keep) window.history.pushState(null, "", address);
  take(fresh);
  const plot = fresh.querySelector(".plot");
  if (had && plot instanceof HTMLElement) plot.focus({ preventScroll: true });
};

/** @param {HTMLElement} section */
const take = (section) => {
  const plot = section.querySelector(".plot");
  const chart = plot?.querySelector("svg.chart");
  const heard = section.querySelector("[data-heard]");
  if (!(plot instanceof HTMLElement) || !(chart instanceof SVGElement)) return;
  const from = Number(plot.dataset.from);
  const to = Number(plot.dataset.to);
  const samples = (plot.dataset.samples ?? "")
    .split(";")
    .filter(Boolean)
    .map((row) => row.split(",").map(Number));
  const tops = [...chart.querySelectorAll("text.top")];
  const before = tops.map((top) => top.textContent ?? "");
  const bottom = String(Number(chart.getAttribute("height")) - 22);
  /** @type {SVGElement | null} */
  let cross = null;
  /** @type {SVGElement | null} */
  let marked = null;
  /** @type {number | null} */
  let at = null;
  /** @type {number | null} */
  let began = null;

  /** @param {number} second */
  const percent = (second) => `${(Math.min(1, Math.max(0, (second - from) / (to - from))) * 100).toFixed(2)}%`;

  const leave = () => {
    cross?.remove();
    cross = null;
    at = null;
    tops.forEach((top, panel) => {
      top.textContent = before[panel] ?? "";
      top.classList.remove("at");
    });
  };

  /** @param {number} index @param {boolean} aloud */
  const point = (index, aloud) => {
    const sample = samples[index];
    if (!sample) return;
    at = index;
    const [end = 0, , ...values] = sample;
    cross ??= draw("line", chart, { class: "cross", y1: "16", y2: bottom });
    cross.setAttribute("x1", percent(end));
    cross.setAttribute("x2", percent(end));
    const said = tops.map((top, panel) => {
      const value = `${(values[panel] ?? 0).toLocaleString("en-US")} ${top.getAttribute("data-unit") ?? ""}`.trim();
      top.textContent = `${clock(end)}  ${value}`;
      top.classList.add("at");
      return `${top.getAttribute("data-name") ?? ""} ${value}`;
    });
    if (aloud && heard) heard.textContent = `${clock(end)}: ${said.join(", ")}`;
  };

  /** @param {number} x */
  const second = (x) => {
    const box = chart.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (to - from);
  };

  /** @param {number} time */
  const nearest = (time) => {
    const index = samples.findIndex(([end = 0]) => end >= time);
    return index < 0 ? samples.length - 1 : index;
  };

  /** @param {number} one @param {number} other */
  const zoom = (one, other) => {
    const [first, last] = [Math.floor(Math.min(one, other)), Math.ceil(Math.max(one, other))];
    if (last - first < 1 || (first <= from && last >= to)) return;
    const form = section.querySelector("form");
    const address = new URL(form?.action ?? window.location.href);
    address.searchParams.set("from", String(Math.max(0, first)));
    address.searchParams.set("to", String(last));
    void show(address.href, true);
  };

  const unmark = () => {
    marked?.remove();
    marked = null;
    began = null;
  };

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    began = event.clientX;
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    point(nearest(second(event.clientX)), false);
    if (began === null || Math.abs(event.clientX - began) < SLIP) return;
    const [one, other] = [second(began), second(event.clientX)].sort((a, b) => a - b);
    marked ??= draw("rect", chart, { class: "stretch", y: "16", height: String(Number(bottom) - 16) });
    marked.setAttribute("x", percent(one ?? 0));
    marked.setAttribute("width", `${((((other ?? 0) - (one ?? 0)) / (to - from)) * 100).toFixed(2)}%`);
  });
  plot.addEventListener("pointerup", (event) => {
    const start = began;
    unmark();
    if (start !== null && Math.abs(event.clientX - start) >= SLIP) zoom(second(start), second(event.clientX));
  });
  plot.addEventListener("pointercancel", unmark);
  plot.addEventListener("pointerleave", () => {
    if (began === null && document.activeElement !== plot) leave();
  });
  plot.addEventListener("focus", () => {
    if (plot.matches(":focus-visible")) point(at ?? samples.length - 1, false);
  });
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = samples.length - 1;
    const here = at ?? last;
    const steps = event.shiftKey ? 10 : 1;
    /** @type {Record<string, number>} */
    const ways = { ArrowLeft: Math.max(0, here - steps), ArrowRight: Math.min(last, here + steps), Home: 0, End: last };
    const target = ways[event.key];
    if (target !== undefined) {
      point(target, true);
    } else if (event.key === "+" || event.key === "=") {
      const middle = samples[here]?.[0] ?? to;
      const reach = Math.max(1, (to - from) / 4);
      zoom(Math.max(from, middle - reach), Math.min(to, middle + reach));
    } else if (event.key === "Escape" || event.key === "-") {
      unmark();
      const all = section.querySelector("a[data-whole]:not([aria-current])");
      if (all instanceof HTMLAnchorElement) void show(all.href, true);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  for (const link of section.querySelectorAll("a[data-stretch]")) {
    link.addEventListener("click", (event) => {
      if (!(event instanceof MouseEvent) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (link instanceof HTMLAnchorElement) void show(link.href, true);
    });
  }
};

const section = document.getElementById("timeline");
if (section) {
  take(section);
  window.addEventListener("popstate", () => void show(window.location.href, false));
}

// Parts of a page that change by themselves are fetched again when the server says that something happened, or every
// so many seconds. Nothing moves under a reader who has scrolled, opened a menu, or is typing: that reader is told how
// much is new.

import { localise } from "./times.js";

const parts = [...document.querySelectorAll("[data-live]")];
let refreshing = false;
let again = false;

const busy = () =>
  parts.some((part) => part.querySelector("details[open], :focus, :focus-within")) || window.scrollY > 240;

const fetched = async () => {
  const answer = await fetch(window.location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

/** @param {ParentNode} root */
const ids = (root) => new Set([...root.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row")));

const refresh = async () => {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const page = await fetched();
    for (const part of page ? parts : []) {
      const fresh = page?.getElementById(part.id);
      if (!fresh) continue;
      const known = ids(part);
      localise(fresh);
      for (const row of fresh.querySelectorAll("[data-row]")) {
        if (known.size > 0 && !known.has(row.getAttribute("data-row"))) row.classList.add("came");
      }
      part.replaceChildren(...fresh.childNodes);
    }
    if (page) document.dispatchEvent(new Event("refreshed"));
  } catch {
    // The server is away for a moment; the next notice tries again.
  }
  refreshing = false;
  if (again) {
    again = false;
    await refresh();
  }
};

/** A button in place of a jump, for a reader who is in the middle of something. */
const offer = async () => {
  let page = null;
  try {
    page = await fetched();
  } catch {
    return;
  }
  const known = new Set(parts.flatMap((part) => [...ids(part)]));
  const fresh = page ? [...ids(page)].filter((id) => !known.has(id)).length : 0;
  if (fresh === 0) return;
  let button = document.querySelector(".fresh");
  if (!button) {
    button = document.createElement("button");
    button.className = "fresh primary";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => {
      button?.remove();
      window.scrollTo({ top: 0 });
      void refresh();
    });
    document.body.append(button);
  }
  button.textContent = (document.body.dataset.fresh ?? "{n}").replace("{n}", String(fresh));
};

if (parts.length > 0) {
  const seconds = Math.max(...parts.map((part) => Number(part.getAttribute("data-live") || 0)));
  if (seconds > 0) {
    setInterval(() => {
      if (!document.hidden && !busy()) void refresh();
    }, seconds * 1000);
  }
  // A browser has six connections to a server, for all its tabs. A page that nobody sees must hold none of them: neither
  // one in the background, nor one that the browser keeps for the way back.
  /** @type {EventSource | null} */
  let feed = null;
  const close = () => {
    feed?.close();
    feed = null;
  };
  const listen = () => {
    if (feed || document.hidden) return;
    feed = new EventSource("/feed");
    feed.addEventListener("record", () => {
      if (busy()) void offer();
      else void refresh();
    });
  };
  listen();
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => {
    listen();
    if (event.persisted && !busy()) void refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
    } else {
      listen();
      // What happened meanwhile was told to nobody.
      if (!busy()) void refresh();
    }
  });
}

// Times in the reader's zone, and a few keys. Every page is complete without this file.
"use strict";

const pad = (number) => String(number).padStart(2, "0");

/** @param {Date} t */
const local = (t) =>
  `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;

/** @param {ParentNode} root */
const localise = (root) => {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.getAttribute("datetime") ?? "");
    if (!Number.isNaN(time.getTime())) {
      element.setAttribute("title", element.getAttribute("datetime") ?? "");
      element.textContent = local(time);
    }
  }
  for (const element of root.querySelectorAll("[data-hour]")) {
    const time = new Date(element.getAttribute("data-hour") ?? "");
    if (!Number.isNaN(time.getTime())) element.textContent = `${pad(time.getHours())}:00`;
  }
};
localise(document);
for (const element of document.querySelectorAll("[data-zone]")) {
  element.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
}

let rows = [...document.querySelectorAll("tr[data-row]")];

// Parts of a page that change by themselves are fetched again when the server says that something happened, or every
// so many seconds. Nothing moves under a reader who has scrolled, opened a menu, or is typing.
const parts = [...document.querySelectorAll("[data-live]")];
let refreshing = false;
let again = false;
const busy = () =>
  parts.some((part) => part.querySelector("details[open], :focus, :focus-within")) || window.scrollY > 240;

const refresh = async () => {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const answer = await fetch(window.location.href, { headers: { accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const fresh = page.getElementById(part.id);
        if (fresh) {
          localise(fresh);
          part.replaceChildren(...fresh.childNodes);
        }
      }
      rows = [...document.querySelectorAll("tr[data-row]")];
    }
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
const offer = () => {
  if (document.querySelector(".fresh")) return;
  const button = document.createElement("button");
  button.className = "fresh primary";
  button.textContent = document.body.dataset.fresh ?? "";
  button.addEventListener("click", () => {
    button.remove();
    window.scrollTo({ top: 0 });
    void refresh();
  });
  document.body.append(button);
};

if (parts.length > 0) {
  const seconds = Math.max(...parts.map((part) => Number(part.getAttribute("data-live") || 0)));
  if (seconds > 0) {
    setInterval(() => {
      if (!document.hidden && !busy()) void refresh();
    }, seconds * 1000);
  }
  const feed = new EventSource("/feed");
  feed.addEventListener("record", () => {
    if (busy()) offer();
    else void refresh();
  });
}

// Date fields hold UTC in the page and in the URL, and the reader's zone while they are on the screen.
for (const field of document.querySelectorAll("input[data-utc]")) {
  if (field instanceof HTMLInputElement) {
    const time = new Date(`${field.value}Z`);
    if (field.value && !Number.isNaN(time.getTime())) {
      field.value = local(time).replace(" ", "T");
    }
  }
}
for (const form of document.forms) {
  form.addEventListener("formdata", (event) => {
    const data = event.formData;
    for (const field of form.querySelectorAll("input[data-utc]")) {
      if (field instanceof HTMLInputElement && field.value) {
        const time = new Date(field.value);
        if (!Number.isNaN(time.getTime())) data.set(field.name, time.toISOString());
      }
    }
    // Empty fields have no business in a link that is shared.
    for (const [name, value] of [...data.entries()]) {
      if (value === "" || (name === "match" && value === "exact")) data.delete(name);
    }
  });
}

// "/" goes to the search, "j" and "k" through the rows, Enter opens one, Escape leaves the field.
let current = -1;

/** @param {number} index */
const select = (index) => {
  if (rows.length === 0) return;
  rows[current]?.classList.remove("current");
  current = Math.max(0, Math.min(rows.length - 1, index));
  const row = rows[current];
  row?.classList.add("current");
  row?.scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  const target = event.target;
  const typing = target instanceof HTMLElement && target.closest("input, select, textarea");
  if (event.key === "Escape" && typing) return typing instanceof HTMLElement ? typing.blur() : undefined;
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search instanceof HTMLElement) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === "j") {
    select(current + 1);
  } else if (event.key === "k") {
    select(current - 1);
  } else if (event.key === "Enter" && current >= 0 && target === document.body) {
    const link = rows[current]?.querySelector("a");
    if (link instanceof HTMLAnchorElement) link.click();
  }
});

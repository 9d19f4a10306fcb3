// Times in the reader's zone.

/** @param {number} number */
const pad = (number) => String(number).padStart(2, "0");

/** @param {Date} t */
export const local = (t) =>
  `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;

const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });

/**
 * How long ago, in the largest unit that makes a whole number.
 * @param {Date} t
 */
const ago = (t) => {
  const seconds = Math.round((t.getTime() - Date.now()) / 1000);
  if (Math.abs(seconds) < 60) return relative.format(seconds, "second");
  if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (Math.abs(seconds) < 86400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86400), "day");
};

/** @param {ParentNode} root */
export const localise = (root) => {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.getAttribute("datetime") ?? "");
    if (!Number.isNaN(time.getTime())) {
      element.setAttribute("title", element.getAttribute("datetime") ?? "");
      element.textContent = element.hasAttribute("data-ago") ? `${local(time)} (${ago(time)})` : local(time);
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

// Date fields hold UTC in the page and in the URL, and the reader's zone while they are on the screen.
/** @param {Element} field */
const isDate = (field) => field instanceof HTMLInputElement && field.hasAttribute("data-utc");

for (const field of document.querySelectorAll("input[data-utc]")) {
  if (field instanceof HTMLInputElement) {
    const time = new Date(`${field.value}Z`);
    if (field.value && !Number.isNaN(time.getTime())) field.value = local(time).replace(" ", "T");
  }
}
document.addEventListener("formdata", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const data = event.formData;
  for (const field of [...form.elements].filter(isDate)) {
    if (field instanceof HTMLInputElement && field.value) {
      const time = new Date(field.value);
      if (!Number.isNaN(time.getTime())) data.set(field.name, time.toISOString());
    }
  }
  // Empty fields have no business in a link that is shared.
  if (form.method !== "get") return;
  for (const [name, value] of [...data.entries()]) {
    if (value === "" || (name === "match" && value === "exact")) data.delete(name);
  }
});

// "/" goes to the search, "j" and "k" through the rows, Enter opens one, "g" and a letter goes to a page, "?" shows the
// keys, Escape leaves and closes.

const PAGES = { o: "/", s: "/streams", r: "/records", e: "/events", i: "/incidents", c: "/causes", d: "/domains" };
/** How long the second key of a pair may take, ms. */
const PAIR = 1500;

let chosen = "";
let goes = 0;

const rows = () => [...document.querySelectorAll("[data-row]")];
const at = () => rows().findIndex((row) => row.getAttribute("data-row") === chosen);

const mark = () => {
  for (const row of rows()) {
    const is = chosen !== "" && row.getAttribute("data-row") === chosen;
    row.classList.toggle("current", is);
    if (is) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
};

/** @param {number} index */
const select = (index) => {
  const all = rows();
  const row = all[Math.max(0, Math.min(all.length - 1, index))];
  if (!row) return;
  chosen = row.getAttribute("data-row") ?? "";
  mark();
  row.scrollIntoView({ block: "nearest" });
};
document.addEventListener("refreshed", mark);

const help = () => {
  const dialog = document.getElementById("keys");
  if (!(dialog instanceof HTMLDialogElement)) return;
  if (dialog.open) dialog.close();
  else dialog.showModal();
};
document.querySelector("[data-keys]")?.addEventListener("click", help);
document.querySelector("#keys [data-close]")?.addEventListener("click", help);

document.addEventListener("keydown", (event) => {
  const target = event.target;
  const typing = target instanceof HTMLElement && target.closest("input, select, textarea");
  if (event.key === "Escape") {
    if (typing instanceof HTMLElement) typing.blur();
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.timeStamp - goes < PAIR && goes > 0) {
    goes = 0;
    const page = PAGES[/** @type {keyof PAGES} */ (event.key)];
    if (page) {
      event.preventDefault();
      window.location.assign(page);
      return;
    }
  }
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search instanceof HTMLElement) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === "j") {
    select(at() + 1);
  } else if (event.key === "k") {
    select(Math.max(0, at() - 1));
  } else if (event.key === "g") {
    goes = event.timeStamp;
  } else if (event.key === "?") {
    help();
  } else if (event.key === "Enter" && chosen && target === document.body) {
    const link = rows()[at()]?.querySelector("a");
    if (link instanceof HTMLAnchorElement) link.click();
  }
});

// The hours of the overview, told one by one under the pointer or by arrow keys. The part of the page that they stand in is
// put in anew now and then, so the document listens.

/** @param {EventTarget | null} target */
const plotOf = (target) => (target instanceof Element ? target.closest(".bar-plot") : null);

/** @param {Element} plot */
const barsOf = (plot) => [...plot.querySelectorAll("[data-bar]")];

/** What was told before: the sentence that says what to do. @type {string | null} */
let hint = null;

/** @param {Element} plot @param {Element | undefined} bar */
const tell = (plot, bar) => {
  const told = document.getElementById(plot.getAttribute("aria-describedby") ?? "");
  if (!told) return;
  for (const other of barsOf(plot)) other.classList.toggle("at", other === bar);
  const begin = new Date(bar?.getAttribute("data-bar") ?? "");
  if (!bar || Number.isNaN(begin.getTime())) {
    if (hint !== null) told.textContent = hint;
    hint = null;
    return;
  }
  hint ??= told.textContent;
  const hour = (/** @type {number} */ n) => `${String(n % 24).padStart(2, "0")}:00`;
  told.textContent = `${hour(begin.getHours())} – ${hour(begin.getHours() + 1)}: ${bar.getAttribute("data-text") ?? ""}`;
};

document.addEventListener("pointerover", (event) => {
  const plot = plotOf(event.target);
  const bar = event.target instanceof Element ? event.target.closest("[data-bar]") : null;
  if (plot && bar) tell(plot, bar);
});
document.addEventListener("pointerout", (event) => {
  const plot = plotOf(event.target);
  if (plot && plotOf(event.relatedTarget) !== plot) tell(plot, undefined);
});
document.addEventListener("focusout", (event) => {
  const plot = plotOf(event.target);
  if (plot) tell(plot, undefined);
});
document.addEventListener("keydown", (event) => {
  const plot = plotOf(event.target);
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
  const bars = barsOf(plot);
  const last = bars.length - 1;
  const here = bars.findIndex((bar) => bar.classList.contains("at"));
  /** @type {Record<string, number>} */
  const ways = {
    ArrowLeft: here < 0 ? last : Math.max(0, here - 1),
    ArrowRight: here < 0 ? last : Math.min(last, here + 1),
    Home: 0,
    End: last,
  };
  const target = ways[event.key];
  if (target === undefined) return;
  tell(plot, bars[target]);
  event.preventDefault();
});
document.addEventListener("refreshed", () => {
  hint = null;
});

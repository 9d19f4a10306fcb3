// Copy buttons of the pages that set things up. Without script, and where a browser keeps the clipboard to itself, the
// text can be selected as ever.

/** @param {HTMLElement} source */
const select = (source) => {
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = window.getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
};

/** @param {HTMLElement} source */
const copy = async (source) => {
  const text = source.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain HTTP from another machine has no clipboard; the old way still works there.
    select(source);
    return document.execCommand("copy");
  }
};

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const source = document.getElementById(button.dataset.copy ?? "");
  if (!source) continue;
  const label = button.textContent ?? "";
  button.setAttribute("aria-live", "polite");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!(await copy(source))) return;
    button.textContent = button.dataset.copied ?? label;
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}

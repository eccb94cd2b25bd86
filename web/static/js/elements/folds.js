// Small forms that fold out (details[data-folds]): opening one puts the focus into it and folds the
// others of the same draft, so that the keyboard goes on where the eye is. Done with the click itself:
// the browser tells of an opened fold only later, and whoever types at once would type elsewhere.

function opened(fold) {
  const panel = fold.closest("[data-draft]") || document;
  panel.querySelectorAll("details[data-folds][open]").forEach((other) => {
    if (other !== fold) other.open = false;
  });
  const fields = Array.from(fold.querySelectorAll("input, textarea, select, button"));
  const inSight = fields.filter((field) => field.getClientRects().length > 0);
  const first = inSight.find((field) => field.checked) || inSight[0];
  if (first) first.focus();
}

document.addEventListener("click", (event) => {
  const head = event.target.closest && event.target.closest("summary");
  const fold = head && head.parentElement;
  if (!fold || !fold.matches("details[data-folds]") || event.defaultPrevented) return;
  event.preventDefault();
  fold.open = !fold.open;
  if (fold.open) opened(fold);
});

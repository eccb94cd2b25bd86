// Small forms that fold out (details[data-folds]): opening one puts the focus into it and folds the
// others of the same draft, so that the keyboard goes on where the eye is.

function opened(event) {
  const fold = event.target;
  if (!fold.matches || !fold.matches("details[data-folds]") || !fold.open) return;
  const panel = fold.closest("[data-draft]") || document;
  panel.querySelectorAll("details[data-folds][open]").forEach((other) => {
    if (other !== fold) other.open = false;
  });
  const fields = Array.from(fold.querySelectorAll("input, textarea, select, button"));
  const inSight = fields.filter((field) => field.getClientRects().length > 0);
  const first = inSight.find((field) => field.checked) || inSight[0];
  if (first) first.focus();
}

document.addEventListener("toggle", opened, true); // toggle does not bubble

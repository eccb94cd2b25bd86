// Behaviour every page shares: menus that close, notices that can be dismissed, pickers, live rows.

document.addEventListener("click", function (event) {
  document.querySelectorAll("details.hl-menu[open]").forEach(function (menu) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
  const close = event.target.closest("[data-dismiss]");
  if (close) close.closest(".hl-notice").remove();
});

document.addEventListener("keydown", function (event) {
  if (event.isComposing || event.keyCode === 229 || event.key !== "Escape") return;
  document.querySelectorAll("details.hl-menu[open]").forEach(function (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  });
});

// A long menu shows where one is.
const here = document.querySelector("nav [aria-current=page]");
if (here) here.scrollIntoView({ block: "nearest" });

// A select marked data-picker becomes searchable; without this script it stays an ordinary select.
function dress(root) {
  root.querySelectorAll("select[data-picker]").forEach(function (select) {
    if (select.tomselect || !window.TomSelect) return;
    const none = select.querySelector("option[value='']"); // its words stand in the closed box, as in an ordinary select
    new window.TomSelect(select, {
      maxOptions: 400,
      refreshThrottle: 0, // Enter right after the last letter must take what these letters found
      searchField: ["text", "keywords"],
      placeholder: select.getAttribute("data-placeholder") || (none ? none.textContent : ""),
      render: { no_results: () => '<div class="no-results">没有匹配的项目</div>' },
    });
  });
}
document.addEventListener("DOMContentLoaded", () => dress(document));
document.addEventListener("htmx:load", (event) => dress(event.detail.elt));
if (document.readyState !== "loading") dress(document);

// A live event refreshes the pieces that say they follow it, unless somebody is typing in them.
// A burst becomes one request; data-live-wait says how many milliseconds a piece rests between two.
const resting = new WeakMap();

function refresh(piece) {
  if (!piece.isConnected || piece.querySelector("input:not([type=hidden]), textarea, select")) return;
  if (window.htmx) window.htmx.trigger(piece, "hl:refresh");
}

// What a page fetches by itself does not keep the session awake.
document.addEventListener("htmx:configRequest", function (event) {
  const cause = event.detail.triggeringEvent;
  if (cause && cause.type === "hl:refresh") event.detail.headers["HL-Background"] = "1";
});

// … and when it fails nobody is disturbed: the status line says what is wrong.
document.addEventListener("htmx:beforeSwap", function (event) {
  const cause = event.detail.requestConfig.triggeringEvent;
  if (event.detail.isError && cause && cause.type === "hl:refresh") event.detail.shouldSwap = false;
});

// Notices do not pile up: the newest three stay.
document.addEventListener("htmx:afterSwap", function (event) {
  if (event.detail.target.id !== "notices") return;
  while (event.detail.target.children.length > 3) event.detail.target.firstElementChild.remove();
});

function follow(piece) {
  if (resting.has(piece)) {
    resting.set(piece, true); // once more when it has rested
    return;
  }
  resting.set(piece, false);
  setTimeout(() => refresh(piece), 100);
  setTimeout(function () {
    const again = resting.get(piece);
    resting.delete(piece);
    if (again) follow(piece);
  }, Number(piece.getAttribute("data-live-wait")) || 500);
}

function followers(topic, ref) {
  document.querySelectorAll('[data-live~="' + topic + '"]').forEach(function (piece) {
    const only = piece.getAttribute("data-live-ref");
    if (!only || ref === null || only === String(ref)) follow(piece);
  });
}

document.addEventListener("hl:live", (event) => followers(event.detail.topic, event.detail.ref));
document.addEventListener("hl:reset", function () {
  ["ticket", "call", "callback", "draft", "card"].forEach((topic) => followers(topic, null));
});

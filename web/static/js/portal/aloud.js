// Reading aloud: the main content, block by block in its order, without what leads elsewhere or works the page.
// The block that is being read is marked. Short pieces, because browsers stop in the middle of long ones.

const SILENT = [
  "nav", "script", "textarea", "select", "[hidden]", "[data-unread]", "[aria-hidden=true]",
  "details:not([open]) > :not(summary)", ".pt-stepping .pt-asked-above",
].join(", ");
const MOST = 120; // characters of one piece

// Numbers of tickets and codes are read figure by figure.
const spelled = (words) => words.replace(/\d{5,}/g, (figures) => figures.split("").join(" "));

// The nearest element that stands on lines of its own.
function blockOf(element) {
  let found = element;
  while (["inline", "contents"].includes(window.getComputedStyle(found).display)) found = found.parentElement;
  return found;
}

export function pieces(main) {
  const found = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const words = walker.currentNode.textContent.replace(/\s+/g, " ").trim();
    if (!words || parent.closest(SILENT) || !parent.getClientRects().length) continue;
    const block = blockOf(parent);
    const before = found[found.length - 1];
    if (before && before.block === block) before.words += ` ${words}`;
    else found.push({ block, words });
  }
  return found.flatMap(({ block, words }) => cut(spelled(words)).map((one) => ({ block, words: one })));
}

function cut(words) {
  const sentences = words.match(/[^。！？；]+[。！？；]*/g) || [words];
  const found = [];
  sentences.forEach((one) => {
    const last = found.length - 1;
    if (last >= 0 && (found[last] + one).length <= MOST) found[last] += one;
    else found.push(one);
  });
  return found;
}

export function aloud(button) {
  const voice = window.speechSynthesis;
  if (!voice || !window.SpeechSynthesisUtterance) return;
  let turn = 0; // what a stopped reading still reports is of an earlier turn

  function mark(block) {
    document.querySelectorAll(".pt-reading").forEach((one) => one.classList.remove("pt-reading"));
    if (block) block.classList.add("pt-reading");
  }
  function rest() {
    turn += 1;
    voice.cancel();
    mark(null);
    button.setAttribute("aria-pressed", "false");
    button.textContent = "朗读";
  }
  function read() {
    const mine = turn;
    const all = pieces(document.querySelector("main"));
    all.forEach(({ block, words }, index) => {
      const said = new window.SpeechSynthesisUtterance(words);
      said.lang = "zh-CN";
      said.rate = 0.9;
      said.onstart = () => { if (mine === turn) mark(block); };
      said.onerror = () => { if (mine === turn) rest(); };
      if (index === all.length - 1) said.onend = () => { if (mine === turn) rest(); };
      voice.speak(said);
    });
    button.setAttribute("aria-pressed", "true");
    button.textContent = "停止朗读";
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    const reading = button.getAttribute("aria-pressed") === "true";
    rest();
    if (!reading) read();
  });
  // Another screen, another page: what was read is no longer there.
  document.addEventListener("portal:step", rest);
  window.addEventListener("pagehide", rest);
  voice.cancel(); // what a page before this one left speaking
}

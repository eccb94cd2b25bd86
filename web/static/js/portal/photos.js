// Files that were chosen outlive a reload as the words beside them do, for this tab alone: they lie in
// IndexedDB, sealed with a key that only this tab has and that ends with it, so that nobody who comes after can
// look at them. Taken away with the words: once sent, by 清空重填, on signing out, after two hours. Where a
// browser cannot do it, and at a kiosk, nothing is kept and the names are told.

const NAME = "hl-portal";
const FILES = "files"; // { tab, place, about, content }: the last two sealed
const TABS = "tabs"; // { tab, at }: when something was written there last
const KEY = "hl.portal.files"; // in this tab: { tab, key }, or { gone } for what is still to be taken away
const KIOSK = "hl.kiosk.device"; // what a kiosk knows of itself, see kiosk/shell.js
const HOURS_MS = 2 * 3600 * 1000;
const MINUTE_MS = 60 * 1000;
const VECTOR = 12;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

let opened = null;

function database() {
  if (!opened) {
    const opening = window.indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(FILES, { keyPath: ["tab", "place"] });
      opening.result.createObjectStore(TABS, { keyPath: "tab" });
    };
    opened = done(opening);
  }
  return opened;
}

// Everything of `work` or nothing; ends when it lies on the disk.
async function within(work) {
  const doing = (await database()).transaction([FILES, TABS], "readwrite");
  const ended = new Promise((resolve, reject) => {
    doing.oncomplete = resolve;
    doing.onabort = () => reject(doing.error);
  });
  work(doing.objectStore(FILES), doing.objectStore(TABS));
  return ended;
}

const places = (tab) => IDBKeyRange.bound([tab, 0], [tab, 1000]);

function mine() {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY) || "null") || {};
  } catch (error) {
    return {};
  }
}

const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
const random = (size) => window.crypto.getRandomValues(new Uint8Array(size));

async function opener(raw) {
  const bytes = new Uint8Array(raw.match(/../g).map((pair) => parseInt(pair, 16)));
  return window.crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function seal(key, bytes) {
  const iv = random(VECTOR);
  return { iv, sealed: await window.crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytes) };
}

const unseal = (key, kept) => window.crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv }, key, kept.sealed);

async function sealedFile(key, tab, place, file) {
  const about = new TextEncoder().encode(JSON.stringify({ name: file.name, type: file.type, at: file.lastModified }));
  return { tab, place, about: await seal(key, about), content: await seal(key, await file.arrayBuffer()) };
}

async function openedFile(key, kept) {
  const about = JSON.parse(new TextDecoder().decode(await unseal(key, kept.about)));
  return new File([await unseal(key, kept.content)], about.name, { type: about.type, lastModified: about.at });
}

const clear = (tab) => within((files, tabs) => { files.delete(places(tab)); tabs.delete(tab); });

// Whatever tab it was of: two hours after the last word nothing is left.
async function sweep() {
  if (!window.indexedDB) return;
  try {
    const tabs = await done((await database()).transaction(TABS).objectStore(TABS).getAll());
    const over = tabs.filter((one) => Date.now() - one.at >= HOURS_MS).map((one) => one.tab);
    const { gone } = mine();
    if (gone) over.push(gone);
    await Promise.all(over.map(clear));
    if (gone && mine().gone === gone) window.sessionStorage.removeItem(KEY);
  } catch (error) {
    // switched off by the browser: nothing is kept there
  }
}

sweep();
window.setInterval(sweep, MINUTE_MS);

let serial = 0; // the newest choice counts, however long an older one takes
let touched = 0;

// This tab's files are gone: the key at once, so that none can be read; then the files.
export function drop() {
  serial += 1;
  const { tab } = mine();
  if (!tab) return Promise.resolve();
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify({ gone: tab }));
  } catch (error) {
    return Promise.resolve();
  }
  return sweep();
}

// Something was written at `at`: the files end with the words.
export function touch(at) {
  const { tab } = mine();
  if (!tab || at - touched < MINUTE_MS) return;
  touched = at;
  within((files, tabs) => { tabs.put({ tab, at }); }).catch(() => {});
}

// A kiosk keeps nothing of whoever stands before it; sealing needs https (or this very machine).
function able() {
  try {
    return !window.localStorage.getItem(KIOSK) && Boolean(window.indexedDB && window.DataTransfer
      && window.crypto.subtle && Blob.prototype.arrayBuffer);
  } catch (error) {
    return false;
  }
}

export class Photos {
  constructor(form, right) {
    this.input = form.querySelector("input[type=file]");
    this.right = right; // whether these files would be taken
    this.able = able();
    if (this.able) this.input.addEventListener("change", () => this.keep().catch(() => {}));
  }

  // What is chosen now, instead of what was chosen before.
  async keep() {
    serial += 1;
    const [turn, chosen] = [serial, Array.from(this.input.files)];
    if (!chosen.length || !this.right(this.input)) { await drop(); return; }
    let { tab, key } = mine();
    if (!tab) {
      [tab, key] = [hex(random(16)), hex(random(16))];
      window.sessionStorage.setItem(KEY, JSON.stringify({ tab, key }));
    }
    const sealing = await opener(key);
    const found = [];
    for (const file of chosen) found.push(await sealedFile(sealing, tab, found.length, file));
    if (turn !== serial) return;
    await within((files, tabs) => {
      files.delete(places(tab));
      found.forEach((one) => files.put(one));
      tabs.put({ tab, at: Date.now() });
    });
  }

  // Put back what was kept; returns the names of those put back. What was chosen meanwhile stays.
  async restore() {
    const { tab, key } = mine();
    if (!this.able || !tab) return [];
    try {
      const kept = await done((await database()).transaction(FILES).objectStore(FILES).getAll(places(tab)));
      const opening = await opener(key);
      const again = new DataTransfer();
      for (const one of kept) again.items.add(await openedFile(opening, one));
      if (this.input.files.length || !again.files.length) return [];
      this.input.files = again.files;
      return Array.from(again.files, (one) => one.name);
    } catch (error) {
      return []; // they are chosen again
    }
  }
}

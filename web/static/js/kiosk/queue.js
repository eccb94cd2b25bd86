// What was submitted and not yet answered, in IndexedDB: it outlives a failure of the network or the power.

const NAME = "hl-kiosk";
const STORE = "waiting";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class KioskQueue {
  async store(mode) {
    if (!this.db) {
      const opening = window.indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "key" });
      this.db = await done(opening);
    }
    return this.db.transaction(STORE, mode).objectStore(STORE);
  }

  async put(item) {
    return done((await this.store("readwrite")).put(Object.assign({ at: Date.now() }, item)));
  }

  async remove(key) {
    return done((await this.store("readwrite")).delete(key));
  }

  /** Drop what is older than so many milliseconds. */
  async forget(age) {
    const old = (await this.all()).filter((item) => Date.now() - item.at > age);
    await Promise.all(old.map((item) => this.remove(item.key)));
  }

  async all() {
    const found = await done((await this.store("readonly")).getAll());
    return found.sort((one, other) => one.at - other.at);
  }
}

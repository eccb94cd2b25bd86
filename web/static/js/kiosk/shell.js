// What a device keeps to start without a network: the shell, by its service worker, and which device it is.
// The token itself lies in a cookie that no script reads.

const DEVICE = "hl.kiosk.device"; // name and place of the device, nothing of a user
const OLD_TOKEN = "hl.kiosk.token"; // of a release that kept the token here
const LOOK_MS = 600000;
const OPTIONS = { scope: "/kiosk", updateViaCache: "none" };
export const BARE = { Accept: "application/json" }; // headers of a device that has but its cookie

export class KioskShell {
  constructor() {
    this.looked = Date.now();
    this.registration = null;
  }

  /** The device as the server last called it, null when it was not enrolled or is no more. */
  get device() {
    try {
      return JSON.parse(window.localStorage.getItem(DEVICE));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return null;
    }
  }

  know(device) {
    window.localStorage.setItem(DEVICE, JSON.stringify(device));
  }

  /** Whether the token of the release before is still shown. */
  get moving() {
    return window.localStorage.getItem(OLD_TOKEN) !== null;
  }

  /** The cookie was seen to do without it. */
  moved() {
    window.localStorage.removeItem(OLD_TOKEN);
  }

  forget() {
    window.localStorage.removeItem(DEVICE);
    window.localStorage.removeItem(OLD_TOKEN);
  }

  /** With the token of the release before, so that the answer makes a cookie of it, until the cookie holds. */
  get headers() {
    const old = window.localStorage.getItem(OLD_TOKEN);
    return old ? Object.assign({ Authorization: `Bearer ${old}` }, BARE) : BARE;
  }

  async start() {
    const workers = navigator.serviceWorker;
    if (!workers) return; // not over https: the page works, but does not start without a network
    let before = Boolean(workers.controller);
    workers.addEventListener("controllerchange", () => {
      if (before) window.location.reload();
      before = true;
    });
    await this.look(true);
  }

  /**
   * Ask the server whether there is a newer shell: now and then, and when the network is back. Without one, because
   * the first could not be had, it is asked for again. What fails here keeps nothing else from being done.
   */
  async look(now) {
    if (!navigator.serviceWorker || (!now && Date.now() - this.looked < LOOK_MS)) return;
    this.looked = Date.now();
    try {
      const one = this.registration;
      if (one && (one.active || one.waiting || one.installing)) await one.update();
      else this.registration = await navigator.serviceWorker.register("/kiosk/worker.js", OPTIONS);
    } catch (error) {
      window.console.warn("The kiosk's shell could not be had:", error);
    }
  }

  /** Nobody is disturbed: a newer shell that waits takes over, and the page is loaded anew from it. */
  settle() {
    if (this.registration && this.registration.waiting) this.registration.waiting.postMessage("now");
  }
}

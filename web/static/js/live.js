// One WebSocket per tab. Every event of the server becomes `hl:live` on the document; the state of
// the connection becomes `hl:socket`. After a break it goes on behind the last number it saw.

const FIRST_WAIT = 500; // milliseconds before the first new try
const LONGEST_WAIT = 15000;
const GIVE_UP_QUIET = 2.5; // heartbeats without a sign before the connection counts as dead

const connection = { socket: null, seq: null, wait: FIRST_WAIT, heartbeat: 15, watchdog: 0, ended: false };

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail: detail }));
}

function address() {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  return scheme + location.host + "/live?after=" + connection.seq;
}

function watch() {
  clearTimeout(connection.watchdog);
  connection.watchdog = setTimeout(function () {
    if (connection.socket) connection.socket.close();
  }, connection.heartbeat * 1000 * GIVE_UP_QUIET);
}

const take = {
  hello(message) {
    connection.heartbeat = message.heartbeat;
    connection.wait = FIRST_WAIT;
    tell("hl:socket", { state: "open" });
  },
  event(message) {
    tell("hl:live", {
      topic: message.topic, kind: message.kind, ref: message.ref,
      version: message.version, data: message.data,
    });
  },
  ping() {
    connection.socket.send('{"t":"pong"}');
  },
  reset() {
    tell("hl:reset", {});
  },
  bye(message) {
    connection.ended = message.code === "session_ended";
    tell("hl:socket", { state: connection.ended ? "ended" : "closed" });
  },
};

function receive(frame) {
  watch();
  const message = JSON.parse(frame.data);
  if (typeof message.seq === "number") connection.seq = message.seq;
  if (take[message.t]) take[message.t](message);
}

function again() {
  clearTimeout(connection.watchdog);
  connection.socket = null;
  if (connection.ended) return;
  tell("hl:socket", { state: "closed" });
  setTimeout(connect, connection.wait * (0.75 + Math.random() / 2)); // spread, so that all tabs do not come at once
  connection.wait = Math.min(connection.wait * 2, LONGEST_WAIT);
}

function connect() {
  const socket = new WebSocket(address());
  connection.socket = socket;
  socket.onmessage = receive;
  socket.onclose = again;
  watch();
}

export function startLive() {
  const frame = document.querySelector("[data-live-seq]");
  if (!frame) return; // nobody is signed in
  connection.seq = Number(frame.getAttribute("data-live-seq"));
  connect();
  window.addEventListener("online", function () {
    if (!connection.socket && !connection.ended) { connection.wait = FIRST_WAIT; connect(); }
  });
}

// The ring in the page: two short notes from WebAudio, so that no sound file is needed.
// Browsers allow sound only after the first key or click on the page; until then it stays silent.

const SWITCH = "hl.tone";
let context = null;

function wake() {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (!Audio) return;
  if (!context) context = new Audio();
  if (context.state === "suspended") context.resume().catch(() => undefined);
}

document.addEventListener("keydown", wake, { once: true });
document.addEventListener("pointerdown", wake, { once: true });

export function isOn() {
  return localStorage.getItem(SWITCH) !== "off";
}

export function setOn(on) {
  localStorage.setItem(SWITCH, on ? "on" : "off");
}

function note(hertz, start, seconds) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + seconds);
  oscillator.connect(gain);
  gain.connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + seconds);
}

export function ring() {
  if (!isOn() || !context || context.state !== "running") return;
  note(880, context.currentTime, 0.18);
  note(660, context.currentTime + 0.2, 0.24);
}

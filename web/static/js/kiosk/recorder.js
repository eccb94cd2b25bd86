// A voice message as a WAV of one channel at 16 kHz, what every desk can play; at most a minute.

const RATE = 16000;
const MOST_SECONDS = 60;
const SIZE = 4096;

function wavOf(pieces, length) {
  const view = new DataView(new ArrayBuffer(44 + length * 2));
  const text = (at, word) => word.split("").forEach((one, n) => view.setUint8(at + n, one.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, length * 2, true);
  let at = 44;
  pieces.forEach((piece) => piece.forEach((one) => {
    view.setInt16(at, Math.max(-1, Math.min(1, one)) * 32767, true);
    at += 2;
  }));
  return new Blob([view], { type: "audio/wav" });
}

export class KioskRecorder {
  constructor(told) {
    this.told = told;
    this.pieces = [];
    this.length = 0;
    this.blob = null;
    this.running = false;
  }

  get seconds() {
    return Math.round(this.length / RATE);
  }

  /** Record until stopped; false when there is no microphone, or nothing was heard of it. */
  async record() {
    this.running = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      this.running = false;
      return false;
    }
    if (!this.running) {
      this.close();
      return false;
    }
    const Audio = window.AudioContext || window.webkitAudioContext;
    this.audio = new Audio({ sampleRate: RATE });
    const node = this.audio.createScriptProcessor(SIZE, 1, 1);
    node.onaudioprocess = (event) => this.take(event.inputBuffer.getChannelData(0));
    this.audio.createMediaStreamSource(this.stream).connect(node);
    node.connect(this.audio.destination);
    await new Promise((resolve) => { this.ended = resolve; });
    this.close();
    if (!this.dropped && this.length) this.blob = wavOf(this.pieces, this.length);
    this.pieces = [];
    return this.blob !== null;
  }

  take(samples) {
    if (!this.running) return;
    this.pieces.push(new Float32Array(samples));
    this.length += samples.length;
    this.told(this.seconds);
    if (this.length >= MOST_SECONDS * RATE) this.stop();
  }

  stop() {
    this.running = false;
    if (this.ended) this.ended();
  }

  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    if (this.audio) this.audio.close();
  }

  address() {
    this.url = this.url || window.URL.createObjectURL(this.blob);
    return this.url;
  }

  /** Nothing of it stays. */
  drop() {
    this.dropped = true;
    this.stop();
    if (this.url) window.URL.revokeObjectURL(this.url);
    this.pieces = [];
    this.blob = null;
  }
}

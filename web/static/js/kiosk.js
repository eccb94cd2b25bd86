// The kiosk's page: screens out of a template, choices in memory alone, cleared after a minute of rest.
// Nothing of a user is in the address, the history or the page's storage. What could not be sent lies in the
// queue (kiosk/queue.js) until it was, with its one key.

import { KioskQueue } from "./kiosk/queue.js";
import { KioskRecorder } from "./kiosk/recorder.js";
import { KioskRest } from "./kiosk/rest.js";
import { BARE, KioskShell } from "./kiosk/shell.js";

const AGAIN_MS = 15000;
const PATIENCE_MS = 20000;
const KEPT_MS = 3 * 24 * 3600 * 1000; // what waits on a device that was stopped
const PHONE = /^(1[3-9][0-9]{9}|0[0-9]{9,11}|[2-8][0-9]{6,7})$/;
const page = document.querySelector("[data-kiosk]");
const screens = document.querySelector("[data-screens]");
const queue = new KioskQueue();
const rest = new KioskRest(document.querySelector("[data-rest]"), () => clear());
const shell = new KioskShell();
const CLOSED = [401, 403];
const REFUSED = { // why a device is not enrolled, by the status of the answer
  403: "本机打开的网址与系统的网址不一致，没有启用，启用码没有用掉。请管理员核对网址（包括 https）后再试。",
  422: "启用码不对、已经用过或超过 30 分钟。请向管理员索取新的启用码。",
  429: "试得太多，请一分钟后再试。",
};
let recorder = null;
let chosen = {};
let place = shell.device;
let asked = false; // whether the server has said if this device may work
let reached = true;
let idle = true;
let sending = false;
let busy = 0; // what is on its way
let visit = 0;
let cut = 0; // the visit that ended because this device was stopped

const find = (selector) => page.querySelector(selector);
const all = (selector) => Array.from(page.querySelectorAll(selector));

async function ask(path, options) {
  const stop = new AbortController();
  const timer = window.setTimeout(() => stop.abort(), PATIENCE_MS);
  busy += 1;
  try {
    const common = { headers: shell.headers, cache: "no-store", credentials: "same-origin", signal: stop.signal };
    return await fetch(path, Object.assign(common, options));
  } finally {
    window.clearTimeout(timer);
    busy -= 1;
  }
}

// What fetch says when there is no network, or nobody answered in time.
function unreached(error) {
  if (error instanceof TypeError || error.name === "AbortError") return true;
  throw error;
}

/** Back to the first screen with nothing of whoever was here before. */
function clear() {
  visit += 1;
  if (recorder) recorder.drop();
  recorder = null;
  chosen = { feelings: [], phone: "", number: "", code: "", enrol: "" };
  page.textContent = "";
  page.appendChild(screens.content.cloneNode(true));
  rest.stop();
  window.scrollTo(0, 0);
  show(place ? "home" : "setup");
  tell();
  settle();
}

/** A newer shell may load the page anew: nobody stands here, nothing is typed or on its way. */
function settle() {
  if (idle && !busy && !chosen.enrol) shell.settle();
}

/** Whether the server is reached: said on the screens where it matters. */
function tell() {
  all("[data-net]").forEach((one) => { one.hidden = reached; });
}

function show(name) {
  all("[data-screen]").forEach((one) => {
    one.hidden = one.getAttribute("data-screen") !== name;
  });
  if (name === "place") begin();
  if (name === "check") review();
  idle = name === "home" || name === "setup";
  if (!idle) rest.start();
  const title = find(`[data-screen="${name}"] h1`);
  title.setAttribute("tabindex", "-1");
  title.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function begin() {
  if (chosen.district_id || !place.district_id) return;
  find("[data-here]").hidden = false;
  pick("district_id", String(place.district_id));
  if (place.street_id) pick("street_id", String(place.street_id));
}

function pick(name, value) {
  chosen[name] = value;
  all(`[data-pick="${name}"]`).forEach((one) => {
    one.setAttribute("aria-pressed", String(one.getAttribute("data-value") === value));
  });
  if (name !== "district_id") return;
  chosen.street_id = "";
  all("[data-pick=street_id]").forEach((one) => {
    one.hidden = one.getAttribute("data-district") !== value;
    one.setAttribute("aria-pressed", "false");
  });
  find("[data-towns-title]").hidden = false;
}

function word(name) {
  const one = find(`[data-pick="${name}"][data-value="${chosen[name]}"]`);
  return one ? one.textContent.trim() : "";
}

function type(pad, digit) {
  const name = pad.getAttribute("data-pad");
  if (digit === "clear") chosen[name] = "";
  else if (digit === "back") chosen[name] = chosen[name].slice(0, -1);
  else if (chosen[name].length < Number(pad.getAttribute("data-longest"))) chosen[name] += digit;
  find(`[data-shown="${name}"]`).value = chosen[name];
}

function feel(button) {
  const said = button.getAttribute("data-feel");
  const there = chosen.feelings.includes(said);
  chosen.feelings = there ? chosen.feelings.filter((one) => one !== said) : chosen.feelings.concat(said);
  button.setAttribute("aria-pressed", String(!there));
}

function review() {
  const facts = find("[data-facts]");
  facts.textContent = "";
  const where = [word("district_id"), word("street_id")].filter(Boolean).join(" ");
  const voice = recorder && recorder.blob ? `${recorder.seconds} 秒` : "没有";
  const lines = [["您想", word("type")], ["事项", word("category_id")], ["地点", where || "未选"],
    ["语音", voice], ["补充", chosen.feelings.join("、") || "没有"], ["电话", chosen.phone]];
  lines.forEach(([name, value]) => {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = value;
    facts.appendChild(dt);
    facts.appendChild(dd);
  });
}

function problem(name, text) {
  find(`[data-problem="${name}"]`).textContent = text;
}

function go(name) {
  if (name === "check" && !PHONE.test(chosen.phone)) {
    problem("phone", "请输入 11 位手机号，或带区号的固定电话。");
    return;
  }
  if (name === "code" && chosen.number.length !== 18) return;
  show(name);
}

function newKey() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

// ---- sending ---------------------------------------------------------------------------------

function bodyOf(item) {
  const body = new FormData();
  Object.keys(item.fields).forEach((name) => body.append(name, item.fields[name]));
  if (item.voice) body.append("files", item.voice, "voice.wav");
  return body;
}

/** The answer of the server; null when it could not be reached or is too busy: to be sent again. */
async function send(item) {
  try {
    const answer = await ask("/kiosk/submit", { method: "POST", body: bodyOf(item) });
    reached = answer.status < 500;
    return reached && answer.status !== 429 ? answer : null;
  } catch (error) {
    reached = !unreached(error);
    return null;
  }
}

async function submit(button) {
  if (button.disabled) return;
  button.disabled = true;
  const mine = visit;
  const names = ["type", "category_id", "district_id", "street_id", "phone"];
  const fields = { key: chosen.key || newKey(), feelings: chosen.feelings.join("、") };
  chosen.key = fields.key;
  names.forEach((name) => { fields[name] = chosen[name] || ""; });
  const item = { key: fields.key, fields, voice: recorder ? recorder.blob : null };
  await queue.put(item); // first of all: a failure in the midst loses nothing
  const answer = await send(item);
  const closed = answer !== null && CLOSED.includes(answer.status);
  if (closed) await check(); // was the device stopped meanwhile?
  if (answer === null || (closed && !reached)) { // it waits, for who knows what the device may do
    await waiting();
    if (mine === visit) slip({ local: item.key.slice(0, 8).toUpperCase() });
    return;
  }
  const stopped = !answer.ok && !place && cut === mine;
  // What a closed device could not send goes only when whoever wrote it is there to be told.
  if (!closed || stopped || mine === visit) await queue.remove(item.key);
  await waiting();
  if (stopped) { // nothing is promised that this device cannot keep
    problem("setup", "本机已停用，您的内容没有提交，已清除。请拨打 12345。");
    return;
  }
  if (mine !== visit) return; // cleared meanwhile: the number goes to the telephone
  if (!answer.ok) {
    chosen.key = "";
    button.disabled = false;
    problem("check", "没有提交成功。请返回核对电话和选项，或拨打 12345。");
    return;
  }
  slip(await answer.json());
}

function slip(told) {
  const online = Boolean(told.number);
  all("[data-online]").forEach((one) => { one.hidden = !online; });
  find("[data-offline]").hidden = online;
  find("[data-done-title]").textContent = online ? "已提交" : "已存在本机，网络恢复后自动提交";
  find("[data-slip-at]").textContent = told.at || new Date().toLocaleString("zh-CN", { timeZone: "Asia/Shanghai" });
  find("[data-number]").textContent = told.number || "";
  find("[data-code]").textContent = told.code || "";
  find("[data-local]").textContent = told.local || "";
  if (told.picture) {
    find("[data-picture]").src = told.picture;
    find("[data-picture]").hidden = false;
  }
  show("done");
}

/** Send what waits, the oldest first; one at a time, so that nothing is sent twice at once. */
async function flush() {
  if (sending) return;
  sending = true;
  try {
    if (asked && !place) await queue.forget(KEPT_MS);
    for (const item of place ? await queue.all() : []) {
      if (item.key === chosen.key) continue; // on its way this very moment, or refused and being mended
      if (item.refused) continue;
      const answer = await send(item);
      if (answer === null || CLOSED.includes(answer.status)) break; // kept: it may be enrolled anew
      if (answer.ok) await queue.remove(item.key);
      else await queue.put(Object.assign(item, { refused: true })); // kept for who looks after the device
    }
  } finally {
    sending = false;
  }
  await waiting();
}

async function waiting() {
  const items = await queue.all();
  const refused = items.filter((item) => item.refused).length;
  const n = items.length - refused;
  const words = [n && `待提交 ${n} 件`, refused && `${refused} 件没有被接受，请联系管理员`];
  document.querySelector("[data-waiting]").textContent = words.filter(Boolean).join("，");
}

// ---- following -------------------------------------------------------------------------------

async function look(button) {
  button.disabled = true;
  const mine = visit;
  problem("code", "");
  try {
    const body = new URLSearchParams({ number: chosen.number, code: chosen.code });
    const answer = await ask("/kiosk/track", { method: "POST", body });
    const told = answer.ok ? await answer.json() : null;
    if (mine !== visit) return;
    if (told) found(told);
    else problem("code", answer.status === 404 ? "没有查到，请核对编号和查询码。" : "现在查不了，请稍后再试或拨打 12345。");
  } catch (error) {
    if (unreached(error) && mine === visit) problem("code", "网络中断，现在查不了。请拨打 12345 查询。");
  } finally {
    button.disabled = false;
  }
}

function found(told) {
  find("[data-headline]").textContent = told.headline;
  find("[data-unit]").textContent = told.unit ? `办理单位：${told.unit}` : "";
  find("[data-reply]").textContent = told.reply ? `答复：${told.reply}` : "";
  told.steps.forEach((step) => {
    const line = document.createElement("li");
    line.textContent = `${step.at} ${step.words}`;
    find("[data-steps]").appendChild(line);
  });
  show("found");
}

// ---- the voice -------------------------------------------------------------------------------

async function record(button) {
  if (recorder && recorder.running) {
    recorder.stop();
    return;
  }
  if (recorder) recorder.drop();
  const mine = visit;
  recorder = new KioskRecorder((seconds) => {
    rest.touch(); // who speaks is not at rest
    find("[data-recorded]").textContent = `正在录音 ${seconds} 秒`;
  });
  const own = recorder;
  button.textContent = "说完了";
  const done = await own.record();
  if (mine !== visit || own !== recorder) return;
  button.textContent = "重新录音";
  find("[data-no-sound]").hidden = done;
  find("[data-recorded]").textContent = done ? `已录 ${own.seconds} 秒` : "";
  find("[data-play]").hidden = !done;
  if (done) find("[data-play]").src = own.address();
}

// ---- the device ------------------------------------------------------------------------------

function title(words) {
  document.querySelector("[data-device]").textContent = words;
}

/** This device may work no more: nothing of anybody stays on the screen, and nobody is served. */
function shut() {
  const was = place;
  place = null;
  asked = true;
  shell.forget();
  title(was ? "本机已停用" : "");
  if (!was) return;
  cut = visit;
  clear();
}

function open(device) {
  const was = place;
  place = device;
  asked = true;
  reached = true;
  shell.know(device);
  title(device.name);
  if (!was) clear();
}

async function check() {
  if (asked && !place) return;
  const before = reached;
  const first = !asked;
  try {
    const answer = await ask("/kiosk/device");
    reached = answer.status < 500;
    if (CLOSED.includes(answer.status)) shut();
    else if (answer.ok) open(await answer.json());
    // A browser may refuse the cookie (over http, when it is for https): until it was seen to hold, the old token stays.
    if (first && place && shell.moving && (await ask("/kiosk/device", { headers: BARE })).ok) shell.moved();
  } catch (error) {
    reached = !unreached(error);
  }
  tell();
  if (reached) await shell.look(!before);
}

/** Enrolled, if the browser has kept the cookie: without it the next question would stop the device again. */
async function enrolled(device) {
  shell.moved();
  open(device);
  await check();
  if (place) return;
  problem("setup", "浏览器没有保存启用凭证，启用码已用掉。请管理员核对网址、允许 Cookie，再用新的启用码启用。");
}

async function setUp(button) {
  button.disabled = true;
  busy += 1; // until the answer was read and the cookie seen
  problem("setup", "");
  try {
    const body = new URLSearchParams({ code: chosen.enrol });
    const answer = await ask("/kiosk/enrol", { method: "POST", body });
    if (answer.ok) await enrolled(await answer.json());
    else problem("setup", REFUSED[answer.status] || "系统现在不能启用本机，请稍后再试。仍不成功请联系管理员。");
  } catch (error) {
    if (unreached(error)) problem("setup", "网络中断，现在不能启用。请检查网络后再试。");
  } finally {
    busy -= 1;
    button.disabled = false;
  }
  await flush();
}

async function tick() {
  await check();
  await flush();
  settle();
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.hasAttribute("data-clear")) clear();
  else if (button.hasAttribute("data-go")) go(button.getAttribute("data-go"));
  else if (button.hasAttribute("data-pick")) {
    pick(button.getAttribute("data-pick"), button.getAttribute("data-value"));
    if (button.hasAttribute("data-then")) show(button.getAttribute("data-then"));
  } else if (button.hasAttribute("data-digit")) type(button.closest("[data-pad]"), button.getAttribute("data-digit"));
  else if (button.hasAttribute("data-feel")) feel(button);
  else if (button.hasAttribute("data-record")) record(button);
  else if (button.hasAttribute("data-submit")) submit(button);
  else if (button.hasAttribute("data-look")) look(button);
  else if (button.hasAttribute("data-print")) window.print();
});
page.addEventListener("submit", (event) => {
  event.preventDefault();
  setUp(event.target.querySelector("[type=submit]"));
});
page.addEventListener("input", (event) => { // whoever enrols a device may have a keyboard
  chosen.enrol = event.target.value.replace(/[^0-9]/g, "");
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) clear();
});
window.addEventListener("online", () => tick());
window.addEventListener("offline", () => { // said before anything is sent in vain
  reached = false;
  tell();
});
window.setInterval(tick, AGAIN_MS);
clear();
if (place) title(place.name);
shell.start();
tick();

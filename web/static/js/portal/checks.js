// What a step asks of its fields before one goes on. The server has the last word; nothing it would take is
// refused here. The sentences are the server's own (data-words of the form).

const MEGABYTE = 1024 * 1024;

function badPhone(raw) {
  const plain = raw.normalize("NFKC").replace(/(转|ext\.?|x|#|,)\s*\d+$/i, "").replace(/^\s*(\+|00)86/, "");
  const digits = plain.replace(/\D/g, "");
  if (/[^\d\s\-+().·]/.test(plain.replace(/^tel:/i, ""))) return true;
  return digits.length < 3 || digits.length > 18 || (/^1[3-9]/.test(digits) && digits.length !== 11);
}

// The sentence of a field that is not right; empty when it is.
export function mistake(field, words) {
  if (field.type === "checkbox") return field.required && !field.checked ? words.agree : "";
  if (field.type === "file") return badFiles(field, words);
  const value = field.value.trim();
  if (!value) return field.required ? words.required : "";
  if (field.hasAttribute("data-least") && value.length < Number(field.getAttribute("data-least"))) return words.required;
  if (field.hasAttribute("data-most") && value.length > Number(field.getAttribute("data-most"))) return words.too_long;
  if (field.name === "phone" && badPhone(value)) return words.bad_phone;
  // Times are the city's, wherever the telephone is.
  if (field.type === "datetime-local" && Date.parse(`${value}+08:00`) > Date.now() + 60000) return words.in_future;
  return "";
}

function badFiles(field, words) {
  const files = Array.from(field.files);
  const limits = JSON.parse(field.getAttribute("data-limits"));
  if (files.length > Number(field.getAttribute("data-most"))) return words.too_many;
  for (const one of files) {
    const ending = (one.name.match(/\.([a-z0-9]+)$/i) || ["", ""])[1].toLowerCase();
    if (!(ending in limits)) return `${one.name}：${words.kind}`;
    if (!one.size) return `${one.name}：${words.empty}`;
    if (one.size > limits[ending] * MEGABYTE) return `${one.name}：${words.too_large}`;
  }
  const all = files.reduce((sum, one) => sum + one.size, 0);
  return all > Number(field.getAttribute("data-all")) * MEGABYTE ? words.all_too_large : "";
}

// Say the sentence beside its field (or take it away); true when the field is right.
export function tell(field, words) {
  const sentence = mistake(field, words);
  const id = `wrong-${field.name}`;
  let told = document.getElementById(id);
  if (!sentence) { unsay(field); return true; }
  if (!told) {
    told = document.createElement("span");
    told.id = id;
    told.className = "pt-wrong";
    (field.closest(".pt-field") || field.closest("fieldset") || field.parentNode).appendChild(told);
  }
  told.textContent = sentence;
  field.setAttribute("aria-invalid", "true");
  const hint = field.getAttribute("data-hint");
  field.setAttribute("aria-describedby", hint ? `${hint} ${id}` : id);
  return false;
}

export function unsay(field) {
  const told = document.getElementById(`wrong-${field.name}`);
  if (told) told.remove();
  field.removeAttribute("aria-invalid");
  if (field.hasAttribute("data-hint")) field.setAttribute("aria-describedby", field.getAttribute("data-hint"));
  else field.removeAttribute("aria-describedby");
}

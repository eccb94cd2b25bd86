// The last screen before a form is sent: every question with its answer as it stands, and a way back to it.

function answer(section) {
  const found = [];
  section.querySelectorAll("input:not([type=hidden]), textarea").forEach((field) => {
    const label = (field.labels && field.labels[0]) || field.closest("label");
    const words = (label.querySelector("span") || label).childNodes[0].textContent.trim();
    if (field.type === "radio") {
      if (field.checked) found.push([section.getAttribute("data-step"), words]);
    } else if (field.type === "file") {
      const kept = Array.from(section.querySelectorAll(".pt-files li"), (one) => one.childNodes[0].textContent.trim());
      found.push([words, kept.concat(Array.from(field.files, (one) => one.name)).join("\n")]);
    } else if (field.type === "datetime-local") found.push([words, field.value.replace("T", " ")]);
    else found.push([words, field.value.trim()]);
  });
  return found;
}

// Fill `holder` from `sections`; `change` is called with the number of the section to be changed.
export function summary(sections, holder, change) {
  holder.textContent = "";
  holder.hidden = false;
  sections.forEach((section, index) => {
    const list = document.createElement("dl");
    answer(section).forEach(([words, value]) => {
      const term = document.createElement("dt");
      const told = document.createElement("dd");
      term.textContent = words;
      told.textContent = value || "没有填写";
      if (!value) told.className = "pt-hint";
      list.append(term, told);
    });
    const again = document.createElement("button");
    again.type = "button";
    again.className = "pt-link";
    again.textContent = "修改";
    again.setAttribute("aria-label", `修改：${section.getAttribute("data-step")}`);
    again.addEventListener("click", () => change(index));
    const part = document.createElement("div");
    part.className = "pt-sum";
    part.append(list, again);
    holder.append(part);
  });
}

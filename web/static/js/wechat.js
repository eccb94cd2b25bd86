// The telephone of the WeChat double: looks for what is new every two seconds; without it people reload.

const lines = document.querySelector("[data-phone]");

function down() {
  lines.scrollTop = lines.scrollHeight;
}

async function look() {
  try {
    const who = lines.getAttribute("data-phone");
    const answer = await fetch(`/demo/wechat/lines?who=${who}`, { credentials: "same-origin" });
    const html = answer.ok ? await answer.text() : "";
    if (html && html !== lines.innerHTML && !lines.contains(document.activeElement)) {
      const holder = document.createElement("template");
      holder.innerHTML = html;
      if (holder.content.querySelectorAll("li").length !== lines.querySelectorAll("li").length) {
        lines.textContent = "";
        lines.appendChild(holder.content);
        down();
      }
    }
  } catch (error) {
    // the next look tries again
  }
  window.setTimeout(look, document.hidden ? 10000 : 2000);
}

down();
window.setTimeout(look, 2000);

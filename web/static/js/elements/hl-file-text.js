// <hl-file-text> around a file input and a textarea: the chosen list is read here and put into the text,
// so that it is seen before it is sent. Lists of older office programs are in GBK.

class HlFileText extends HTMLElement {
  connectedCallback() {
    this.file = this.querySelector('input[type="file"]');
    this.text = this.querySelector("textarea");
    if (!this.file || !this.text) return;
    this.file.addEventListener("change", () => this.take());
  }

  take() {
    const chosen = this.file.files[0];
    if (!chosen) return;
    chosen.arrayBuffer().then((bytes) => {
      this.text.value = this.decode(bytes);
      this.file.value = "";
      this.text.focus();
    });
  }

  decode(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (error) {
      return new TextDecoder("gb18030").decode(bytes);
    }
  }
}

customElements.define("hl-file-text", HlFileText);

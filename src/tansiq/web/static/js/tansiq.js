// Behaviour that a page can do without: every page reads and acts without this file.
// Two small custom elements (no shadow DOM): the legal clock, and the keyboard.

/** The legal clock. The server has already written the digits; this keeps them true between page loads. */
class TqClock extends HTMLElement {
  connectedCallback() {
    this.due = Date.parse(this.dataset.due || "");
    this.since = Date.parse(this.dataset.since || "");
    const server = Date.parse(this.dataset.server || "");
    // The officer's machine may be wrong: the clock runs on the server's time.
    this.skew = Number.isNaN(server) ? 0 : server - Date.now();
    this.digits = this.querySelector("[data-digits]");
    if (!this.digits || Number.isNaN(this.due)) return;
    this.timer = setInterval(() => this.tick(), 1000);
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  tick() {
    const left = Math.round((this.due - (Date.now() + this.skew)) / 1000);
    const whole = Math.max(1, Math.round((this.due - this.since) / 1000));
    // Over two days the server's words stand: they know six plural forms, and the minute does not matter yet.
    if (Math.abs(left) < 172800) {
      this.digits.classList.remove("words");
      const digits = TqClock.format(Math.abs(left));
      // Whether the word stands before or after is the language's affair: متأخر منذ {}, {} late.
      this.digits.textContent = left < 0 && this.dataset.late ? this.dataset.late.replace("{}", digits) : digits;
    }
    const share = left / whole;
    const level = left < 0 ? "late" : share < 0.25 ? "quarter" : share < 0.5 ? "half" : "calm";
    this.classList.remove("late", "quarter", "half", "calm");
    this.classList.add(level);
    this.closest(".card.timing")?.classList.toggle("late", level === "late" || level === "quarter");
    this.closest(".card.timing")?.classList.toggle("calm", level === "calm");
    const done = Math.min(1, Math.max(0, 1 - share)) * 300;
    this.querySelector("rect.run")?.setAttribute("width", String(done));
    this.querySelector("rect.now")?.setAttribute("x", String(Math.max(0, done - 2)));
    this.announce(left, whole);
  }

  /** One polite announcement at half, quarter, 30, 10 and 5 minutes, and at the end: never each second. */
  announce(left, whole) {
    const marks = [Math.round(whole / 2), Math.round(whole / 4), 1800, 600, 300, 0];
    const live = this.querySelector("[data-live]");
    if (live && marks.includes(left)) live.textContent = this.digits.textContent;
  }

  static format(seconds) {
    const two = (n) => String(n).padStart(2, "0");
    return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  }
}

/** Single keys outside text fields. Elements say which key presses them with data-key; on an Arabic keyboard the physical key counts. */
class TqKeys extends HTMLElement {
  connectedCallback() {
    this.pending = "";
    this.onKey = (event) => this.press(event);
    document.addEventListener("keydown", this.onKey);
    this.addEventListener("click", (event) => {
      if (event.target.closest("[data-print]")) window.print();
      if (event.target.closest("[data-copy]")) navigator.clipboard?.writeText(event.target.closest("[data-copy]").dataset.copy);
    });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  press(event) {
    if (event.ctrlKey && event.key === "Enter") {
      const form = document.querySelector("form[data-ctrl-enter]");
      if (form) form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.closest && target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const typed = /^[\x20-\x7e]$/.test(event.key) ? event.key.toLowerCase() : event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : TqKeys.physical[event.code] || "";
    if (!typed) return;
    const wanted = this.pending + typed;
    this.pending = typed === "g" && !this.pending ? "g " : "";
    const found = [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === wanted);
    if (!found) return;
    event.preventDefault();
    this.act(found);
  }

  static physical = { BracketLeft: "[", BracketRight: "]", Slash: "/" };

  /** A key chooses; it never decides: after a choice the focus goes to the reason. */
  act(found) {
    if (found.matches("input[type=radio]")) {
      found.checked = true;
      (found.closest("form") ? document.getElementById("reason") : found)?.focus();
    } else if (found.matches("[tabindex]")) {
      found.focus();
    } else if (found.matches("input, textarea")) {
      found.focus();
      found.select();
    } else {
      found.click();
    }
  }
}

/** The session's end: writing counts as being there, five minutes before the end it says so, one key stays. */
class TqSession extends HTMLElement {
  connectedCallback() {
    const server = Date.parse(this.dataset.server || "");
    this.skew = Number.isNaN(server) ? 0 : server - Date.now();
    this.ends = Date.parse(this.dataset.ends || "");
    if (Number.isNaN(this.ends)) return;
    this.asked = Date.now();
    this.timer = setInterval(() => this.tick(), 5000);
    this.onInput = () => Date.now() - this.asked > 120000 && this.stay();
    document.addEventListener("input", this.onInput);
    this.querySelector("[data-stay]")?.addEventListener("click", () => this.stay());
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("input", this.onInput);
  }

  tick() {
    const left = this.ends - (Date.now() + this.skew);
    this.querySelector("[data-soon]").hidden = left > 300000 || left <= 0;
    this.querySelector("[data-over]").hidden = left > 0;
  }

  async stay() {
    this.asked = Date.now();
    const answer = await fetch("/stay", { redirect: "manual" }).catch(() => null);
    if (answer?.ok) this.ends = Date.parse(await answer.text());
    else if (answer?.type === "opaqueredirect") this.ends = 0;
    this.tick();
  }
}

customElements.define("tq-clock", TqClock);
customElements.define("tq-session", TqSession);
customElements.define("tq-keys", TqKeys);

// An address that was kept (/dossiers/d-…#e-…) names an entry that may stand on another page of its dossier: the server
// finds it, where it is told. Links of the pages themselves tell it, and need no script.
const kept = /^#(e-[0-9a-f]{64})$/.exec(location.hash);
const asked = new URLSearchParams(location.search).get("entry");
if (kept && kept[1] !== asked && location.pathname.startsWith("/dossiers/") && document.getElementById("entries") && !document.getElementById(kept[1]))
  location.replace(`${location.pathname}?entry=${kept[1]}${location.hash}`);

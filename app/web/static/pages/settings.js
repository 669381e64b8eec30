// The pages of the settings: marks of what was typed, finding a setting, faults at their fields, the text with its lines.
"use strict";

{
  const byId = (id) => document.getElementById(id);
  const rows = () => [...document.querySelectorAll("#settings-form .setting")];
  const controlsOf = (row) => [...row.querySelectorAll(".setting-value :is(input:not([type=hidden]), select, textarea)")];
  let leaving = false;

  // --- what was typed

  function isTyped(control) {
    if (control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.localName === "select") return [...control.options].some((one) => one.selected !== one.defaultSelected);
    return control.value !== control.defaultValue;
  }

  function settle(control) {
    if (control.type === "checkbox") control.defaultChecked = control.checked;
    else if (control.localName === "select") for (const one of control.options) one.defaultSelected = one.selected;
    else control.defaultValue = control.type === "password" ? (control.value = "") : control.value;
  }

  const textOf = (control) => (control.type === "checkbox" ? String(control.checked) : control.value);

  function markRow(row) {
    const controls = controlsOf(row);
    row.querySelector("[data-mark=unsaved]").hidden = !controls.some(isTyped);
    for (const words of row.querySelectorAll("[data-untyped]")) words.hidden = controls.some(isTyped);
    if (row.dataset.default === undefined || !controls.length) return;
    const differs = textOf(controls[0]) !== row.dataset.default;
    row.classList.toggle("differs", differs);
    row.querySelector("[data-mark=differs]").hidden = !differs;
    const back = row.querySelector("[data-back]");
    if (back) back.hidden = !differs;
  }

  function put(control, text) {
    if (!control || control.disabled) return;
    if (control.type === "checkbox") control.checked = text === "true";
    else control.value = text;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function hasUnsaved() {
    const text = byId("settings-text");
    return text ? isTyped(text) : rows().some((row) => controlsOf(row).some(isTyped));
  }

  // --- finding a setting

  function wordsOf(row) {
    return [...row.querySelectorAll("label, .label, code, .help, option")].map((one) => one.textContent).join(" ").toLowerCase();
  }

  function find() {
    const words = byId("settings-q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = byId("settings-differs").checked;
    let found = 0;
    for (const row of rows()) {
      const text = wordsOf(row);
      row.hidden = !words.every((word) => text.includes(word)) || (only && !row.matches(".differs"));
      found += row.hidden ? 0 : 1;
    }
    for (const section of document.querySelectorAll(".settings-section")) {
      section.hidden = !section.querySelector(".setting:not([hidden])");
      const link = document.querySelector(`[data-section="${section.getAttribute("aria-labelledby")}"]`);
      if (link) link.parentElement.hidden = section.hidden;
    }
    const told = byId("settings-found");
    if (words.length || only) told.textContent = ["No setting is called so, or is described so.", "1 setting"][found] ?? `${found} settings`;
    else told.textContent = "";
  }

  const isNarrowed = () => new URLSearchParams(location.search).has("q");

  // --- faults

  function showFaults() {
    const told = new Map();
    for (const link of document.querySelectorAll("#settings-faults [data-fault]")) {
      const id = `fault-set-${link.dataset.fault.replaceAll(".", "-")}`;
      told.set(id, [...(told.get(id) ?? []), link.dataset.message]);
    }
    for (const slot of document.querySelectorAll("#settings-form .fault[id]")) {
      const words = (told.get(slot.id) ?? []).join("; ");
      slot.textContent = words ? `✕ ${words}` : "";
      const control = byId(slot.id.slice("fault-".length));
      if (!control) continue;
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  function goTo(link) {
    const control = byId(link.getAttribute("href").slice(1));
    if (!control) return;
    if (control.id === "settings-text") goToLine(Number(link.dataset.line || 1), Number(link.dataset.column || 1));
    else {
      if (!control.checkVisibility()) { byId("settings-q").value = ""; byId("settings-differs").checked = false; find(); }
      control.focus();
      control.scrollIntoView({ block: "center" });
    }
  }

  // --- the text

  function numberLines() {
    const text = byId("settings-text"), gutter = document.querySelector(".gutter");
    const count = text.value.split("\n").length;
    const bad = new Set([...document.querySelectorAll("#settings-faults [data-line]")].map((one) => Number(one.dataset.line)));
    const lines = Array.from({ length: count }, (_, place) => {
      const line = document.createElement("span");
      line.textContent = bad.has(place + 1) ? `✕ ${place + 1}` : String(place + 1);
      if (bad.has(place + 1)) line.className = "bad";
      return line;
    });
    gutter.hidden = false;
    gutter.replaceChildren(...lines);
    gutter.scrollTop = text.scrollTop;
  }

  function goToLine(line, column) {
    const text = byId("settings-text"), lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    text.focus();
    text.setSelectionRange(start, Math.max(start, start - column + 1 + (lines[line - 1] ?? "").length));
    text.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(text).lineHeight));
    text.scrollIntoView({ block: "nearest" });
  }

  function beginText() {
    const text = byId("settings-text");
    if (!text) return;
    numberLines();
    text.addEventListener("input", numberLines);
    text.addEventListener("scroll", () => { document.querySelector(".gutter").scrollTop = text.scrollTop; });
    const wanted = new URLSearchParams(location.search);
    if (wanted.has("line")) goToLine(Number(wanted.get("line")), Number(wanted.get("column") || 1));
  }

  // --- what happens on the page

  document.addEventListener("input", (event) => {
    const row = event.target.closest("#settings-form .setting");
    if (row) markRow(row);
    if (event.target.id === "settings-q" && !isNarrowed()) find();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "settings-differs" && !isNarrowed()) find();
  });

  document.addEventListener("submit", (event) => {
    if (event.target.id === "settings-search" && !isNarrowed()) { event.preventDefault(); find(); }
  });

  document.addEventListener("click", (event) => {
    const back = event.target.closest("[data-back]"), fills = event.target.closest("[data-fills]");
    const fault = event.target.closest("[data-fault]");
    if (event.target.closest("[data-discard]")) leaving = true;
    if (!back && !fills && !fault) return;
    event.preventDefault();
    if (fault) goTo(fault);
    if (back) { put(byId(back.dataset.back), back.closest(".setting").dataset.default); byId(back.dataset.back).focus(); }
    if (fills) for (const [id, text] of Object.entries(JSON.parse(fills.dataset.fills))) put(byId(id), text);
  });

  document.addEventListener("keydown", (event) => {
    const form = byId("settings-form") ?? byId("settings-text-form");
    if (!form || !byId("settings-verdict") || event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });

  // Only what was changed is sent.
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.closest("#settings-form")) return;
    for (const row of rows()) {
      if (controlsOf(row).some(isTyped)) continue;
      for (const control of row.querySelectorAll("[name]")) event.detail.formData.delete(control.name);
    }
  });

  // A look that was asked for before a save must not take the place of what the save said.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const isLook = event.detail.requestConfig.path.endsWith("/check");
    if (isLook && !hasUnsaved() && byId("settings-verdict").dataset.state === "idle") event.preventDefault();
  });

  // What was saved is not typed any more: the answer may take its place.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "settings") rows().flatMap(controlsOf).forEach(settle);
  });

  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Redirect")) leaving = true;
  });

  document.body.addEventListener("htmx:afterSettle", (event) => {
    const path = event.detail.requestConfig ? event.detail.requestConfig.path : "";
    if (!/\/settings(\/|$)/.test(path)) return;
    if (byId("settings-text")) numberLines();
    else { showFaults(); for (const row of rows()) markRow(row); if (!isNarrowed()) find(); }
    const faults = byId("settings-faults");
    if (faults && !path.endsWith("/check")) faults.focus();
  });

  // Going back to a page, a browser puts what was typed into its fields again: then it is marked and checked again.
  window.addEventListener("pageshow", () => {
    rows().forEach(markRow);
    const form = byId("settings-form") ?? byId("settings-text-form");
    if (form && hasUnsaved()) form.dispatchEvent(new Event("input", { bubbles: true }));
  });

  window.addEventListener("beforeunload", (event) => { if (!leaving && hasUnsaved()) event.preventDefault(); });

  beginText();
}

// What all pages do beyond HTMX: instants in the viewer's zone, copy buttons, notices, the menu, a warning when the
// server is silent; and what a person has opened, typed or chosen stays when a page renews itself.
"use strict";

function showLocalTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime())) continue;
    element.title = element.getAttribute("datetime");
    element.textContent = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}

// Browsers offer their clipboard only over HTTPS and on this very machine; elsewhere a selection is copied as of old.
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("not copied");
}

function offerCopying(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.onclick = async () => {
      let said = "Copied";
      await copyText(button.dataset.copy).catch(() => { said = "Not copied"; });
      button.focus();
      button.textContent = said;
      document.getElementById("said").textContent = said;
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    };
  }
}

// --- notices

// A notice of what was done goes by itself, so that it does not lie over what is read next; a refusal stays.
const NOTICE_SECONDS = 8;

function letNoticesGo() {
  for (const button of document.querySelectorAll("#notices .close")) {
    const notice = button.closest(".notice");
    button.hidden = false;
    button.onclick = () => notice.remove();
    if (notice.classList.contains("info")) setTimeout(() => notice.remove(), NOTICE_SECONDS * 1000);
  }
}

function setOffline(offline) {
  document.getElementById("offline").hidden = !offline;
}

// --- the menu

for (const menu of document.querySelectorAll(".menu")) {
  document.addEventListener("click", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}

// --- parts that renew themselves

const isPoll = (element) => (element.getAttribute("hx-trigger") || "").startsWith("every ");

// What went wrong with the last refresh: told once, however often it happens again.
let toldFault = "";

// A tab that nobody sees asks nothing; it looks as soon as it is seen again.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && isPoll(event.detail.elt) && !event.detail.requestConfig.triggeringEvent) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && window.htmx) htmx.trigger(document.body, "refresh");
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  // The form that asks for the key again must not be renewed while somebody types into it.
  const asked = event.detail.xhr.status === 401 && document.getElementById("log-in-again");
  if (asked && !asked.contains(event.detail.requestConfig.elt)) event.detail.shouldSwap = false;
  if (!event.detail.isError || !isPoll(event.detail.requestConfig.elt)) return;
  if (event.detail.serverResponse === toldFault) event.detail.shouldSwap = false;
  toldFault = event.detail.serverResponse;
});

function forgetFault() {
  if (!toldFault) return;
  toldFault = "";
  document.querySelector("#notices .notice.error")?.remove();
}

const HELD_BY_HTMX = "data-disabled-by-htmx";
const isHeld = new WeakSet();

// Whether a person has changed a field since the page was made.
function isTouched(field) {
  if (field.localName === "select") {
    const first = Math.max([...field.options].findIndex((option) => option.defaultSelected), 0);
    return field.multiple
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.selectedIndex !== first;
  }
  if (field.localName === "textarea") return field.value !== field.defaultValue;
  if (field.localName !== "input" || field.type === "hidden") return false;
  return ["checkbox", "radio"].includes(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function isKept(name, node) {
  if (name === "open") return node.localName === "details" || node.localName === "dialog";
  if (name === "tabindex") return node === document.activeElement;
  // A button whose request is on its way is not offered again before the answer.
  if (name === HELD_BY_HTMX || name === "disabled") return node.hasAttribute(HELD_BY_HTMX);
  if (name === "selected") return isHeld.has(node.closest("select"));
  return (name === "value" || name === "checked") && isTouched(node);
}

if (window.Idiomorph) {
  const chosen = new WeakMap();
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated: (name, node) => !isKept(name, node),
    beforeNodeMorphed: (node) => {
      if (node.localName !== "select" || !isTouched(node)) return;
      isHeld.add(node);
      chosen.set(node, node.value);
    },
    afterNodeMorphed: (node) => {
      if (!isHeld.has(node)) return;
      isHeld.delete(node);
      const value = chosen.get(node);
      if (!node.multiple && node.value !== value && [...node.options].some((option) => option.value === value)) node.value = value;
    },
  });
}

// --- the focus

// A button is disabled while its request is on its way, and browsers then take the focus from it: it gets it back.
const pressed = new WeakMap();

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const button = document.activeElement;
  if (button?.localName === "button" && event.detail.elt.contains(button)) pressed.set(event.detail.xhr, button);
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const button = event.detail.xhr && pressed.get(event.detail.xhr);
  const isLost = !document.activeElement || document.activeElement === document.body;
  if (button?.isConnected && !button.disabled && isLost) button.focus({ preventScroll: true });
});

// Afterwards the page may disable or replace the button: then the focus goes to the heading of the card that it was in,
// which says how things stand, instead of to the top of the page.
let lastPressed = null;

function cardsAround(button) {
  const cards = [];
  for (let card = button.parentElement; card && card.id !== "main"; card = card.parentElement) {
    if (card.matches("section, article, li, [id]")) cards.push({ card, id: card.id });
  }
  return cards;
}

function headingNear(cards) {
  for (const { card, id } of cards) {
    const found = card.isConnected ? card : id && document.getElementById(id);
    const heading = found && found.querySelector("h2, h3, strong");
    if (heading) return heading;
  }
  return document.querySelector("main h1");
}

const isFocusLost = () => {
  const held = document.activeElement;
  return !held || held === document.body || held.disabled;
};

function returnFocus() {
  if (!lastPressed || lastPressed.awaited || !isFocusLost() || document.querySelector("dialog[open]")) return;
  const { button, cards } = lastPressed;
  const place = button.isConnected && !button.disabled ? button : headingNear(cards);
  if (!place) return;
  if (place !== button) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const { xhr, elt } = event.detail;
  const button = pressed.get(xhr);
  if (!button || (isPoll(elt) && lastPressed?.button === button)) return;
  lastPressed = { button, cards: cardsAround(button), awaited: isPoll(elt) ? null : xhr };
});
// A part that renews itself meanwhile finds the button disabled: the focus waits for the button's own answer.
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (lastPressed && lastPressed.awaited === event.detail.xhr) lastPressed.awaited = null;
});
// Who has gone elsewhere is not fetched back.
document.addEventListener("focusin", (event) => {
  if (lastPressed && event.target !== lastPressed.button && !event.target.matches("h1, h2, h3, strong")) lastPressed = null;
});
document.addEventListener("pointerdown", () => { lastPressed = null; });
// Browsers take the focus from what was disabled only as they draw the page next.
document.body.addEventListener("htmx:afterSettle", () => requestAnimationFrame(() => requestAnimationFrame(returnFocus)));

// --- always

showLocalTimes(document);
offerCopying(document);
document.body.addEventListener("htmx:afterSwap", (event) => {
  showLocalTimes(document);
  offerCopying(document);
  if (event.detail.target && event.detail.target.id === "notices") {
    letNoticesGo();
    if (getComputedStyle(event.detail.target).position === "static") event.detail.target.scrollIntoView({ block: "nearest" });
  }
});
document.body.addEventListener("htmx:sendError", () => setOffline(true));
document.body.addEventListener("htmx:timeout", () => setOffline(true));
document.body.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, elt, successful } = event.detail;
  if (!xhr || xhr.status === 0) return;
  setOffline(false);
  if (successful && isPoll(elt)) forgetFault();
});

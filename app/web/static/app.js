// What the pages do beyond HTMX: instants in the viewer's zone, copy buttons, a warning when the server is silent.
"use strict";

function showLocalTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime())) continue;
    element.title = element.getAttribute("datetime");
    element.textContent = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}

function offerCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    };
  }
}

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

// Whether any of an element that has content is on the screen.
function isSeen(id) {
  const box = document.getElementById(id).getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}

// Choosing files in a list: one box ticks all, and the form says how many are ticked.
function offerTicking() {
  const boxes = () => [...document.querySelectorAll(".picks input[type=checkbox]")];
  const count = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    for (const all of document.querySelectorAll("[data-tick-all]")) {
      all.checked = ticked > 0 && ticked === boxes().length;
      all.indeterminate = ticked > 0 && ticked < boxes().length;
    }
    for (const told of document.querySelectorAll("[data-ticked]")) {
      told.hidden = false;
      told.textContent = `(${ticked})`;
    }
    for (const jump of document.querySelectorAll("[data-jump]")) {
      jump.hidden = isSeen("decide") || isSeen("preview");
      jump.querySelector("[data-ticked-count]").textContent = ["", " about 1 file"][ticked] ?? ` about ${ticked} files`;
    }
  };
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    all.parentElement.hidden = false;
    all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; count(); });
  }
  for (const box of boxes()) box.addEventListener("change", count);
  if (boxes().length) {
    count();
    window.addEventListener("pageshow", count);
    window.addEventListener("scroll", count, { passive: true });
  }
}

// A preview that is not carried out goes, and what was ticked stays ticked.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dismiss]");
  const preview = link && document.getElementById(link.dataset.dismiss);
  if (!preview) return;
  event.preventDefault();
  preview.replaceChildren();
  document.querySelector(".deciding button[type=submit]").focus();
});

function setOffline(offline) {
  document.getElementById("offline").hidden = !offline;
}

if (window.Idiomorph) {
  // What a person has opened stays open when the page renews itself around it.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.localName === "details");
}

showLocalTimes(document);
offerCopying(document);
offerTicking();
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
  if (event.detail.xhr && event.detail.xhr.status > 0) setOffline(false);
});

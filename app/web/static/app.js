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

function setOffline(offline) {
  document.getElementById("offline").hidden = !offline;
}

if (window.Idiomorph) {
  // What a person has opened stays open when the page renews itself around it.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.localName === "details");
}

showLocalTimes(document);
offerCopying(document);
document.body.addEventListener("htmx:afterSwap", (event) => {
  showLocalTimes(document);
  offerCopying(document);
  if (event.detail.target && event.detail.target.id === "notices") letNoticesGo();
});
document.body.addEventListener("htmx:sendError", () => setOffline(true));
document.body.addEventListener("htmx:timeout", () => setOffline(true));
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr && event.detail.xhr.status > 0) setOffline(false);
});

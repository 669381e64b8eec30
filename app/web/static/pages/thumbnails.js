// A thumbnail that is not drawn yet answers with a picture of 16 pixels: it is asked for again, ever more seldom.
"use strict";

const WAITING_PIXELS = 16;
const AGAIN_SECONDS = [0.7, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60];
const asked = new WeakMap();

function askAgain(image) {
  if (!image.complete || image.naturalWidth !== WAITING_PIXELS || asked.get(image) === "soon") return;
  const times = Number(image.dataset.times || 0);
  if (times >= AGAIN_SECONDS.length) return;
  asked.set(image, "soon");
  setTimeout(() => {
    asked.delete(image);
    if (!image.isConnected) return;
    image.dataset.times = times + 1;
    const address = new URL(image.src);
    address.searchParams.set("again", times + 1);
    image.src = address.href;
  }, AGAIN_SECONDS[times] * 1000);
}

function askForAll() {
  for (const image of document.querySelectorAll("img[data-thumbnail]")) askAgain(image);
}

document.addEventListener("load", (event) => {
  if (event.target.matches && event.target.matches("img[data-thumbnail]")) askAgain(event.target);
}, true);
document.body.addEventListener("htmx:afterSwap", askForAll);
askForAll();

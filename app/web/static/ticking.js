// Choosing files in a list (.picks): one box ticks all, and the form says how many are ticked.
"use strict";

// Whether any of an element that has content is on the screen.
function isSeen(id) {
  const element = document.getElementById(id);
  if (!element) return false;
  const box = element.getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}

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

offerTicking();

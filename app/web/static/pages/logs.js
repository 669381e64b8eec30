// Follows the logs: a stream of events, or asking again and again when all streams are taken.
"use strict";

const KEPT_LINES = 1000;
const ASK_MILLISECONDS = 3000;
const TRY_STREAM_MILLISECONDS = 60000;
const PLACED = new Set(["at", "process", "level", "event", "logger", "exception", "run_id", "batch_id", "stage"]);

const box = document.getElementById("lines");
const state = document.getElementById("log-state");
const pauseButton = document.getElementById("log-pause");
const newestButton = document.getElementById("log-newest");
const template = document.getElementById("line");
const query = box.dataset.query;
let cursor = box.dataset.cursor;
let source = null;
let asking = null;
let isPaused = false;

function tell(words) {
  if (state.textContent !== words) state.textContent = words;
}

function isAtEnd() {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 30;
}

function toEnd() {
  box.scrollTop = box.scrollHeight;
  newestButton.hidden = true;
}

function localTime(at) {
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? "" : moment.toLocaleTimeString([], { hour12: false });
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function lineOf(record) {
  const line = template.content.firstElementChild.cloneNode(true);
  const part = (name) => line.querySelector(`[data-of="${name}"]`);
  line.className = "line";
  if (/^[a-z]+$/.test(record.level)) line.classList.add(record.level);
  part("at").textContent = localTime(record.at);
  part("at").title = record.at || "";
  for (const name of ["process", "level", "event", "stage"]) part(name).textContent = record[name] ?? "";
  for (const [name, page, word] of [["run_id", "runs", "run"], ["batch_id", "batches", "batch"]]) {
    if (!Number.isInteger(record[name])) continue;
    part(name).hidden = false;
    part(name).href = `${page}/${record[name]}`;
    part(name).textContent = `${word} ${record[name]}`;
  }
  const more = Object.entries(record).filter(([name]) => !PLACED.has(name));
  part("more").textContent = more.map(([name, value]) => `${name}=${shown(value)}`).join("  ");
  if (record.exception) {
    part("exception").hidden = false;
    part("exception").textContent = record.exception;
  }
  return line;
}

// Whoever has scrolled up is reading: the lines then stay where they are on the screen.
function append(records) {
  if (!records.length) return;
  const follows = isAtEnd();
  box.append(...records.map(lineOf));
  const surplus = box.childElementCount - KEPT_LINES;
  const before = box.scrollHeight;
  for (let left = surplus; left > 0; left -= 1) box.firstElementChild.remove();
  document.getElementById("log-empty").hidden = true;
  if (follows) toEnd();
  else {
    if (surplus > 0) box.scrollTop -= before - box.scrollHeight;
    newestButton.hidden = false;
  }
}

function noteGap() {
  append([{ level: "warning", event: "Lines were left out here: too many came at once. The files have them all." }]);
}

let waiting = [];
function take(record) {
  // Lines of one burst go into the page together.
  if (!waiting.length) setTimeout(() => { const records = waiting; waiting = []; append(records); }, 50);
  waiting.push(record);
}

function stop() {
  if (source) source.close();
  clearTimeout(asking);
  source = asking = null;
}

function follow() {
  stop();
  source = new EventSource(`api/logs/stream?${query}&after=${encodeURIComponent(cursor)}`);
  source.onopen = () => tell("Following: new lines appear by themselves");
  source.onmessage = (event) => {
    cursor = event.lastEventId || cursor;
    take(JSON.parse(event.data));
  };
  source.addEventListener("skipped", noteGap);
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) tell("The connection broke. Trying again; no line is lost.");
    else ask(Date.now() + TRY_STREAM_MILLISECONDS);
  };
}

// The stream was refused: ask for what has come, and try for a stream now and then.
async function ask(untilMoment) {
  stop();
  try {
    const answer = await fetch(`api/logs?${query}&limit=1000&after=${encodeURIComponent(cursor)}`);
    if (isPaused) return;
    if (answer.status === 401) {
      // The page asks for the key in place, as it does for every part that is refused.
      window.htmx.ajax("GET", "partials/journal", { target: "#notices", swap: "none" });
      tell("Not following: log in again");
      document.body.addEventListener("refresh", follow, { once: true });
      return;
    } else if (answer.ok) {
      const told = await answer.json();
      cursor = told.cursor;
      if (told.skipped) noteGap();
      append(told.lines);
      tell("Following: asking every 3 seconds, because all streams are taken");
    } else tell(`The server refuses (${answer.status}). Trying again.`);
  } catch {
    tell("The server does not answer. Trying again; no line is lost.");
  }
  if (isPaused || source) return;
  asking = setTimeout(() => (Date.now() < untilMoment ? ask(untilMoment) : follow()), ASK_MILLISECONDS);
}

function setPaused(paused) {
  isPaused = paused;
  pauseButton.textContent = paused ? "Go on" : "Pause";
  pauseButton.setAttribute("aria-pressed", String(paused));
  if (!paused) return follow();
  stop();
  tell("Paused: what is written meanwhile appears when you go on");
}

for (const time of box.querySelectorAll("time[datetime]")) {
  const at = time.getAttribute("datetime");
  time.removeAttribute("datetime");
  time.textContent = localTime(at);
}
pauseButton.hidden = false;
pauseButton.onclick = () => setPaused(!isPaused);
newestButton.onclick = toEnd;
box.addEventListener("scroll", () => { if (isAtEnd()) newestButton.hidden = true; }, { passive: true });
for (const choice of document.querySelectorAll("#filters select")) choice.onchange = () => choice.form.requestSubmit();
// A tab that nobody sees holds no stream; it goes on where it was when it is looked at again.
document.addEventListener("visibilitychange", () => {
  if (isPaused) return;
  if (document.hidden) stop();
  else follow();
});
toEnd();
follow();

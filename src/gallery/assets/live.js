// Tells when the index has changed. A hidden page lets its connection go: a browser has six for
// one server, and tabs share them.

// Many changes in a row, as while photos are indexed, are looked at once a second.
const PAUSE = 1000;

/** @param {() => void} changed */
export function follow(changed) {
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      changed();
    }, PAUSE);
  };
  /** @type {EventSource | null} */
  let events = null;
  /** @type {string | null} */
  let last = null;
  const listen = () => {
    if (document.hidden || events) return;
    events = new EventSource("/api/live");
    events.addEventListener("change", ({ data }) => {
      if (last !== null && last !== data) soon();
      last = data;
    });
  };
  const rest = () => {
    events?.close();
    events = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  // A page in the back-forward cache must not hold a connection either.
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
}

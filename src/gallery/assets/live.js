// Notifies the page when the index has changed. A hidden page closes its connection: a browser allows six
// connections to a server, which all its tabs share.

// Several changes in a row, as during indexing, are handled together once a second.
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
    events = new EventSource("api/live");
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
  // A page in the back-forward cache must not keep a connection either.
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
}

// Tells when the index has changed. A hidden page lets its connection go: a browser has six for
// one server, and tabs share them.

export function follow(changed) {
  let events = null;
  let last = null;
  const listen = () => {
    if (document.hidden || events) return;
    events = new EventSource("/api/live");
    events.addEventListener("change", ({ data }) => {
      if (last !== null && last !== data) changed();
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

// The page's address, which contains the filters and the open photo.

/** The open photo according to the address; 0 for none. */
export const photoInAddress = () => Number(new URL(location.href).searchParams.get("photo"));

/**
 * The page's address with this photo open, or with none.
 * @param {number | null} id
 */
export function withPhoto(id) {
  const address = new URL(location.href);
  if (id) address.searchParams.set("photo", String(id));
  else address.searchParams.delete("photo");
  return address;
}

// A browser goes back some time after `history.back()` was called, and from the entry that is current by
// then. A change of the address must wait for that; otherwise the browser would leave the changed address.
let returned = Promise.resolve();

export function goBack() {
  returned = new Promise((done) => addEventListener("popstate", () => done(), { once: true }));
  history.back();
}

// Resolves when no `history.back()` is pending.
export const settled = () => returned;

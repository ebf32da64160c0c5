// The page's address, which says what is looked for and which photo is open.

/** The photo that is open by the address; 0 for none. */
export const photoInAddress = () => Number(new URL(location.href).searchParams.get("photo"));

/**
 * The page's address with this photo open.
 * @param {number | null} id
 */
export function withPhoto(id) {
  const address = new URL(location.href);
  if (id) address.searchParams.set("photo", String(id));
  else address.searchParams.delete("photo");
  return address;
}

// A browser goes back some time after it was told to, and from where it is then: what is to change the
// address waits for that, or it would be what is gone back from.
let returned = Promise.resolve();

export function goBack() {
  returned = new Promise((done) => addEventListener("popstate", () => done(), { once: true }));
  history.back();
}

// When no way back is under way.
export const settled = () => returned;

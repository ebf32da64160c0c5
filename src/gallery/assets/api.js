// Talking to the server: the only file that does.

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The gallery does not answer. Is fer-index gallery still running?");
  }
  if (!response.ok) throw new Error((await response.text()).trim() || response.statusText);
  return response;
}

const get = async (path, parameters = {}, signal) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value != null);
  const query = new URLSearchParams(given).toString();
  return (await request(query ? `${path}?${query}` : path, { signal })).json();
};

const post = (path, body) =>
  request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

export const photos = (filters, offset, limit, signal) => get("/api/photos", { ...filters, offset, limit }, signal);
export const counts = (filters, signal) => get("/api/counts", filters, signal);
export const photo = (id, signal) => get(`/api/photo/${id}`, {}, signal);

export const says = (face, emotion) => post(`/api/face/${face}`, { shows: emotion });
export const rejects = (face) => post(`/api/face/${face}`, "not_a_face");
export const takesBack = (face) => post(`/api/face/${face}`, "nothing");
export const reveal = (id) => post(`/api/photo/${id}/reveal`);

export const thumbnail = (id) => `/thumb/${id}`;
export const view = (id) => `/view/${id}`;

// Requests to the server; no other file makes any. The types are those of src/gallery/answer.rs.

/**
 * @typedef {"angry" | "disgust" | "fear" | "happy" | "sad" | "surprise" | "neutral" | "contempt"} Emotion
 * @typedef {Record<string, string>} Filters Some filters of a query, by name.
 * @typedef {URLSearchParams} Asked All filters of a query; a missing one does not restrict, and some may occur several times.
 *
 * @typedef {object} Tile A photo of the grid.
 * @property {number} id
 * @property {string} version Another one when the photo's file was changed, which may have turned the picture.
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {number} score
 * @property {string | null} taken
 * @property {boolean} taken_from_file Whether the date is that of the file; the photo has none of its own.
 * @property {"second" | "day" | "month" | "year" | null} taken_precision
 * @property {number} faces
 *
 * @typedef {object} Face
 * @property {number} id
 * @property {[number, number, number, number]} box x, y, width and height in pixels of the upright photo.
 * @property {number} detection
 * @property {string | null} person The name of the person whom it shows, if the photo names one.
 * @property {number[]} scores The emotion scores in the order of `EMOTIONS`.
 * @property {Emotion | null} corrected_to The emotion that a person assigned.
 * @property {boolean} rejected
 * @property {boolean} counts Whether it counts as a face: by what a person said, else by the model.
 * @property {string | null} carried_from The name of the file on which the person said so, if it is another one.
 * @property {number | null} follows The correction on that file.
 *
 * @typedef {object} Photo
 * @property {number} id
 * @property {string} version As that of a tile.
 * @property {string[]} paths
 * @property {string} separator What separates the names in a path.
 * @property {string[]} same_shot The other files of the same shot: the picture beside a raw file, or the raw files.
 * @property {number} bytes
 * @property {number} width
 * @property {number} height
 * @property {string} format
 * @property {string | null} taken
 * @property {boolean} taken_from_file
 * @property {string | null} taken_source
 * @property {"second" | "day" | "month" | "year" | null} taken_precision
 * @property {[number, number] | null} position
 * @property {string | null} place
 * @property {string | null} camera
 * @property {string | null} lens
 * @property {string | null} title
 * @property {string | null} description
 * @property {string[]} keywords
 * @property {number | null} rating
 * @property {string[]} people
 * @property {Partial<Record<"position" | "camera" | "lens" | "title" | "description" | "rating", string>>} sources
 * @property {Face[]} faces
 * @property {string | null} learning That the scores follow corrections of other faces, if they do.
 * @property {boolean} can_reveal
 *
 * @typedef {object} Folder
 * @property {string} path
 * @property {string} name
 * @property {number} depth
 *
 * @typedef {object} Counts
 * @property {number} found The number of photos that all filters accept.
 * @property {number} undated The number of photos that the dates leave out because they have none of their own.
 * @property {number} all
 * @property {Record<string, number>} emotions
 * @property {Emotion | null} emotion The emotion in force, if it is one.
 * @property {Emotion[]} asked All emotions in force, of which a photo shows at least one.
 * @property {number} min_score The minimum score at which a face shows one of them, 0 to 1.
 * @property {boolean} has_typed_emotion Whether the text asks for an emotion.
 * @property {"score" | "date" | "random"} order
 * @property {string[]} read_as
 * @property {Understood} understood
 * @property {[string, string][]} in_words The filters other than the text in words, each with its name.
 * @property {string[]} why_empty
 * @property {Folder[]} folders
 * @property {string[]} cameras
 * @property {string[]} people
 * @property {boolean} indexed
 *
 * @typedef {object} Understood How the typed text was understood.
 * @property {string[]} filters
 * @property {string[]} replaced The filters of the text that other filters replace.
 * @property {string[]} as_text
 * @property {string[]} left_out
 * @property {[string, string][]} suggestions
 * @property {string[]} other_albums
 * @property {string[]} other_people
 *
 * @typedef {object} Place A place of the map, at which photos were taken.
 * @property {string} name
 * @property {number} latitude
 * @property {number} longitude
 * @property {number} photos
 * @property {string} near The value of the filter `near` that finds these photos.
 */

// The HTTP status (404) of a request about something that does not exist, or not any more.
export const NOT_FOUND = 404;
// The HTTP status (409) of a request that conflicts with something that exists.
export const CONFLICT = 409;

/** The server's answer that a request cannot be carried out, and why. */
export class Refusal extends Error {
  /**
   * @param {string} reason
   * @param {number} status
   */
  constructor(reason, status) {
    super(reason);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Error("The gallery does not answer. Is fer-index gallery still running?");
  }
  if (!response.ok) throw new Refusal((await response.text()).trim() || response.statusText, response.status);
  return response;
}

/**
 * @param {string} path
 * @param {URLSearchParams} [parameters]
 * @param {AbortSignal} [signal]
 */
const get = async (path, parameters, signal) => {
  const query = parameters?.toString();
  return (await request(query ? `${path}?${query}` : path, signal ? { signal } : {})).json();
};

/**
 * @param {string} path
 * @param {unknown} [body]
 */
const post = (path, body) => {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return request(path, { method: "POST", headers: { "content-type": "application/json" }, ...content });
};

/**
 * @param {Asked} asked
 * @param {number} offset
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ photos: Tile[], more: boolean }>}
 */
export const photos = (asked, offset, limit, signal) =>
  get("api/photos", new URLSearchParams([...named(asked), ["offset", String(offset)], ["limit", String(limit)]]), signal);

/**
 * The index of a photo in an answer; `null` if it is not in the answer.
 * @type {(asked: Asked, id: number, signal?: AbortSignal) => Promise<{ index: number | null }>}
 */
export const index = (asked, id, signal) => get(`api/photo/${id}/index`, new URLSearchParams(named(asked)), signal);

/**
 * The numbers of all photos of an answer from one to another; `null` if one of the two is not in the answer.
 * @type {(asked: Asked, one: number, other: number) => Promise<{ photos: number[] | null }>}
 */
export const between = (asked, one, other) => get(`api/between/${one}/${other}`, new URLSearchParams(named(asked)));

/** @type {(asked: Asked, signal?: AbortSignal) => Promise<Counts>} */
export const counts = (asked, signal) => get("api/counts", new URLSearchParams(named(asked)), signal);

// The parameter `limit` of a request is its page size, so the filter `limit` is sent as `most`.
/** @param {Asked} asked */
const named = (asked) => [...asked].map(([name, value]) => [name === "limit" ? "most" : name, value]);

/** @type {(id: number, signal?: AbortSignal) => Promise<Photo>} */
export const photo = (id, signal) => get(`api/photo/${id}`, undefined, signal);

/** @type {(face: number, emotion: Emotion) => Promise<unknown>} */
export const correctFace = (face, emotion) => post(`api/face/${face}`, { shows: emotion });
/** @type {(face: number) => Promise<unknown>} */
export const rejectFace = (face) => post(`api/face/${face}`, "not_a_face");
/** @type {(face: number) => Promise<unknown>} */
export const undoCorrection = (face) => post(`api/face/${face}`, "nothing");
/**
 * Takes back that a face was corrected to an emotion, so that it is as given again.
 * @param {Face} face
 * @param {Emotion} made
 */
export const takeBack = ({ id, corrected_to: shows, follows }, made) => {
  const own = shows ? { shows } : "nothing";
  const earlier = shows && follows !== null ? { follows: { leader: follows, shows } } : own;
  return post(`api/face/${id}`, { take_back: { made, earlier } });
};
/** @type {(photo: number) => Promise<unknown>} */
export const reveal = (id) => post(`api/photo/${id}/reveal`);

/**
 * The places of the photos that the filters other than the place find.
 * @type {(asked: Asked) => Promise<{ towns: [number, number][], places: Place[] }>}
 */
export const places = (asked) => get("api/places", new URLSearchParams(named(asked)));

/**
 * Makes a folder of links to photos; returns its path and how many of the photos are gone. Without `existing`, an album of that name is a conflict.
 * @param {string} name
 * @param {number[]} ids
 * @param {"add" | "replace"} [existing]
 * @returns {Promise<{ folder: string, gone: number }>}
 */
export const makeAlbum = async (name, ids, existing) => (await post("api/album", { name, photos: ids, existing })).json();

// A browser asks again for the picture of an address only after the address has changed.
/** @type {(photo: { id: number, version: string }) => string} */
export const thumbnail = ({ id, version }) => `thumb/${id}?v=${version}`;
/** @type {(photo: { id: number, version: string }) => string} */
export const view = ({ id, version }) => `view/${id}?v=${version}`;

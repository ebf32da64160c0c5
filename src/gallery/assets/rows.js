// Photos set into rows of one width, as words are set into lines.

/**
 * @typedef {object} Row
 * @property {number} from Its first photo.
 * @property {number} to The photo after its last.
 * @property {number} top
 * @property {number} height
 */

// A photo is shown no narrower and no wider than this, or it would leave nothing to its neighbours.
const NARROWEST = 0.5;
const WIDEST = 3;
// Rows are at most so many times as high as they should be.
const HIGHEST = 1.6;

/**
 * The shape in which a photo is shown: width through height.
 * @param {{ width: number, height: number }} photo
 */
export const shape = ({ width, height }) => Math.min(Math.max(width / height || 1, NARROWEST), WIDEST);

/**
 * Breaks photos into rows that end flush and are, all together, as near to `wanted` high as can be. Where
 * the photos end, the last row need not be full.
 * @param {number[]} shapes
 * @param {{ width: number, wanted: number, gap: number, ends: boolean }} page
 * @returns {Row[]}
 */
export function setIntoRows(shapes, { width, wanted, gap, ends }) {
  // For each photo the cheapest way to set all before it, and where the last of those rows starts.
  const best = [{ cost: 0, from: 0, height: 0 }];
  for (let to = 1; to <= shapes.length; to++) {
    let found = { cost: Infinity, from: to - 1, height: wanted };
    let sum = 0;
    for (let from = to - 1; from >= 0; from--) {
      sum += shapes[from] ?? 1;
      const full = (width - gap * (to - from - 1)) / sum;
      const isOpen = full > wanted && ends && to === shapes.length;
      const height = isOpen ? wanted : Math.min(full, HIGHEST * wanted);
      const cost = (best[from]?.cost ?? 0) + (isOpen ? 0 : Math.log(full / wanted) ** 2);
      if (cost < found.cost) found = { cost, from, height };
      if (full < wanted / 3) break;
    }
    best.push(found);
  }
  const rows = [];
  for (let to = shapes.length; to > 0; ) {
    const { from, height } = best[to] ?? { from: to - 1, height: wanted };
    rows.unshift({ from, to, top: 0, height });
    to = from;
  }
  let top = 0;
  for (const row of rows) {
    row.top = top;
    top += row.height + gap;
  }
  return rows;
}

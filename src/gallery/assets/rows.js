// Sets photos into rows of equal width, as words are set into justified lines.

/**
 * @typedef {object} Row
 * @property {number} from The index of the first photo.
 * @property {number} to The index after the last photo.
 * @property {number} top
 * @property {number} height
 */

// The limits of the shape in which a photo is shown, so that it leaves room for its neighbours.
const NARROWEST = 0.5;
const WIDEST = 3;
// The maximum height of a row, as a multiple of the desired height.
const HIGHEST = 1.6;

/**
 * The shape in which a photo is shown: width divided by height.
 * @param {{ width: number, height: number }} photo
 */
export const shape = ({ width, height }) => Math.min(Math.max(width / height || 1, NARROWEST), WIDEST);

/**
 * Breaks photos into rows of full width whose heights, taken together, deviate least from `wanted`. The last
 * row need not be full if the photos end there.
 * @param {number[]} shapes
 * @param {{ width: number, wanted: number, gap: number, ends: boolean }} page
 * @returns {Row[]}
 */
export function setIntoRows(shapes, { width, wanted, gap, ends }) {
  // For each photo: the least cost of setting the photos before it, and where the last of those rows starts.
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

// Zooms a picture with the wheel, two fingers or keys; a drag moves the picture.

const MOST = 8;
const STEP = 1.5;
// How many pixels an arrow key moves a picture.
const PAN = 80;

export class Zoom {
  #stage;
  #frame;
  #scale = 1;
  #x = 0;
  #y = 0;
  /** The fingers that touch the picture, or the pressed mouse. @type {Map<number, PointerEvent>} */
  #down = new Map();
  #changed;

  /**
   * @param {HTMLElement} stage The element through which the picture is seen.
   * @param {HTMLElement | SVGElement} frame The picture, centred in the stage.
   * @param {() => void} [changed]
   */
  constructor(stage, frame, changed = () => {}) {
    this.#stage = stage;
    this.#frame = frame;
    this.#changed = changed;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down.set(event.pointerId, event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      stage.addEventListener(end, (event) => this.#down.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    stage.addEventListener("dblclick", (event) => {
      if (event.target instanceof Element && event.target.closest("button")) return;
      if (this.isClose) this.reset();
      else this.#by(2.5, event.clientX, event.clientY);
    });
  }

  /** Whether the picture is zoomed in. */
  get isClose() {
    return this.#scale > 1;
  }

  in() {
    this.#by(STEP);
  }

  out() {
    this.#by(1 / STEP);
  }

  /**
   * Moves the picture by a number of steps.
   * @param {number} across
   * @param {number} down
   */
  pan(across, down) {
    this.#x -= across * PAN;
    this.#y -= down * PAN;
    this.#show();
  }

  reset() {
    this.#scale = 1;
    this.#x = this.#y = 0;
    this.#show();
  }

  /**
   * @param {number} factor
   * @param {number} [x] The point on the screen that stays in place.
   * @param {number} [y]
   */
  #by(factor, x, y) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    const [across, down] = [(x ?? left + width / 2) - left - width / 2, (y ?? top + height / 2) - top - height / 2];
    const scale = Math.min(Math.max(this.#scale * factor, 1), MOST);
    const grown = scale / this.#scale;
    this.#x = across - (across - this.#x) * grown;
    this.#y = down - (down - this.#y) * grown;
    this.#scale = scale;
    this.#show();
  }

  // Keeps the edges of the picture at or outside the edges of its frame.
  #show() {
    const room = (/** @type {number} */ size) => (size * (this.#scale - 1)) / 2;
    const { clientWidth, clientHeight } = this.#frame;
    this.#x = Math.min(Math.max(this.#x, -room(clientWidth)), room(clientWidth));
    this.#y = Math.min(Math.max(this.#y, -room(clientHeight)), room(clientHeight));
    this.#frame.style.transform = this.isClose ? `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})` : "";
    this.#frame.style.setProperty("--zoom", String(this.#scale));
    this.#stage.classList.toggle("close", this.isClose);
    this.#changed();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#by(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.clientX, event.clientY);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#down.get(event.pointerId);
    if (!before) return;
    this.#down.set(event.pointerId, event);
    const other = [...this.#down.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other) {
      const apart = (/** @type {PointerEvent} */ { clientX, clientY }) => Math.hypot(clientX - other.clientX, clientY - other.clientY);
      const middle = [(event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2];
      this.#by(apart(event) / (apart(before) || 1), middle[0], middle[1]);
    } else if (this.isClose) {
      this.#x += event.clientX - before.clientX;
      this.#y += event.clientY - before.clientY;
      this.#show();
    }
  }
}

// How long pictures are on their way. The relay's clock and the browser's may differ by any amount,
// but the quickest of many pictures shows by how much: what another one takes longer, it waited.

/// Connections change, and clocks drift: what was quickest is forgotten after two of these.
const WINDOW_MS = 60_000;
/// Nothing waits for so long on a connection that lives: a clock was set.
const MOST_MS = 60_000;

export class Delay {
  #least = Infinity;
  #before = Infinity;
  #begun = 0;
  #trip = Infinity;

  /// A message and its answer took so long.
  trip(ms) {
    this.#trip = Math.min(this.#trip, ms);
  }

  /// Another connection may take another way.
  reconnected() {
    this.#trip = Infinity;
  }

  /// How long a picture took that was sent and arrived then, in ms, each by the clock of its side.
  of(sent, arrived) {
    const transit = arrived - sent;
    if (arrived - this.#begun > WINDOW_MS) {
      [this.#before, this.#least, this.#begun] = [this.#least, Infinity, arrived];
    }
    this.#least = Math.min(this.#least, transit);
    let waited = transit - Math.min(this.#least, this.#before);
    if (waited > MOST_MS) {
      [this.#least, this.#before, waited] = [transit, Infinity, 0];
    }
    return waited + (Number.isFinite(this.#trip) ? this.#trip / 2 : 0);
  }
}

// Pictures without the WebSocket. A browser has six connections to a relay: four are used for
// streams, one for snapshots of all other boxes in turn, and one is left for requests.

import { at } from './api.js';
import { sleep } from './dom.js';

const STREAMS = 4;
const SNAPSHOT_MS = 3000;
const KICKED = 410;

export class Images {
  #on;
  #streaming = new Map();
  #others = [];
  #isClosed = false;

  constructor(on) {
    this.#on = on;
    this.#takeSnapshots();
    this.#askForKicks();
  }

  /// Shows these boxes from now on.
  show(boxes) {
    const first = new Set(boxes.slice(0, STREAMS));
    for (const [box, { fps }] of this.#streaming) {
      if (!first.has(box) || fps !== box.fps) this.drop(box);
    }
    for (const box of first) if (!this.#streaming.has(box)) this.#open(box);
    this.#others = boxes.slice(STREAMS);
  }

  #open(box) {
    const { element } = box;
    const address = url(box);
    this.#streaming.set(box, { address, fps: box.fps });
    // Firefox tells of each picture, others of the first. Until then, the last one stays.
    element.onload = () => {
      box.painter.clear();
      this.#shown(box);
    };
    element.onerror = () => this.#ended(box, address);
    element.src = '';
    element.src = address;
  }

  /// Opens a stream that has ended once more, unless somebody has disconnected this viewer.
  async #ended(box, address) {
    if (await this.#isKicked(box, address)) return;
    setTimeout(() => this.#isStreaming(box, address) && this.#open(box), SNAPSHOT_MS);
  }

  #isStreaming(box, address) {
    return this.#streaming.get(box)?.address === address;
  }

  /// Not every browser tells that a stream has ended.
  async #askForKicks() {
    while (!this.#isClosed) {
      await sleep(SNAPSHOT_MS);
      for (const [box, { address }] of [...this.#streaming]) await this.#isKicked(box, address);
    }
  }

  /// Whether somebody has disconnected this viewer: then its key is refused for a while.
  async #isKicked(box, address) {
    const asked = await fetch(address, {
      method: 'HEAD',
      headers: { 'X-Requested-With': 'page' },
      cache: 'no-store',
      signal: AbortSignal.timeout(10_000),
    }).catch(() => null);
    const isKicked = asked?.status === KICKED && this.#isStreaming(box, address);
    if (isKicked) this.#on.kicked(box);
    return isKicked;
  }

  /// Ends a box's stream. Only another `src` closes the connection.
  drop(box) {
    if (!this.#streaming.delete(box)) return;
    box.element.onload = box.element.onerror = null;
    box.element.src = '';
  }

  close() {
    this.#isClosed = true;
    for (const box of [...this.#streaming.keys()]) this.drop(box);
  }

  #shown(box) {
    const { naturalWidth: width, naturalHeight: height } = box.element;
    if (width) box.ratio = width / height;
    // How old it is, nothing says.
    box.paintedAt = 0;
    box.frames++;
    this.#on.frame(box);
  }

  async #takeSnapshots() {
    while (!this.#isClosed) {
      const due = performance.now() - SNAPSHOT_MS;
      const waiting = this.#others.filter((box) => box.canPoll && !(box.polled > due));
      waiting.sort((a, b) => (a.polled ?? 0) - (b.polled ?? 0));
      const [box] = waiting;
      if (!box) {
        await sleep(200);
        continue;
      }
      box.polled = performance.now();
      await this.#takeSnapshot(box).catch(() => {});
    }
  }

  async #takeSnapshot(box) {
    const response = await fetch(at(`${encodeURIComponent(box.stream)}/snapshot`), {
      headers: { 'X-Requested-With': 'page' },
      cache: 'no-store',
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) return;
    const picture = new Uint8Array(await response.arrayBuffer());
    if (this.#isClosed || !this.#others.includes(box)) return;
    const size = await box.painter.paint(picture);
    if (!size) return;
    box.ratio = size.ratio;
    this.#shown(box);
  }
}

/// A key of its own tells this viewer from all others, also from itself when it comes back.
function url({ stream, fps }) {
  const key = [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16));
  const query = `key=page-${key.join('')}${fps ? `&fps=${fps}` : ''}`;
  return at(`${encodeURIComponent(stream)}/stream?${query}`);
}

// The wall: pictures of all visible tiles over one WebSocket (docs/wall.md), or, where that
// fails, by multipart streams of the first few and snapshots of the others.

import { at } from './api.js';
import { Delay } from './delay.js';
import { Images } from './images.js';
import { Painter } from './painter.js';

const HEADER_BYTES = 24;
const EIGHTH = 2;
const REPEATED = 1;
const PLACEHOLDER = 2;
const PING_MS = 5000;
/// A server that does not answer a ping for so long is gone, or one that does not say welcome.
const SILENT_MS = 15_000;
const MOST_WAIT_MS = 30_000;
/// The relay takes no more than some changes a second.
const TOLD_MS = 100;

/// Shows streams in boxes. A box is `{ key, stream, element }`, with what is wanted of it:
/// `isVisible`, `fps` (or `null`), `canShrink`. `on.frame(box)` tells of each picture, whose age is
/// then in `box.age`, and `on.state(box, state, code, detail)` of what the relay says of it;
/// `on.mode()` when the mode changes; `on.answers()` says whether the relay answers requests.
export class Wall {
  #on;
  #boxes = new Map();
  #socket = null;
  #images = null;
  #isStopped = true;
  #failures = 0;
  #retry = 0;
  #ping = 0;
  /// The ping that is not answered yet: `{ id, at }`.
  #pinged = null;
  #delay = new Delay();
  /// When this connection was begun.
  #begun = 0;
  #mostTiles = 0;
  #numbers = Array.from({ length: 128 }, (_, number) => number);
  /// What the relay said to streams from which it disconnected this viewer, by name.
  #kicked = new Map();
  #sent = '';
  #due = 0;

  constructor(on) {
    this.#on = on;
    document.addEventListener('visibilitychange', () => this.update());
    addEventListener('online', () => this.connect());
  }

  /// `socket`, `images`, or `connecting`.
  get mode() {
    return this.#mostTiles ? 'socket' : this.#images ? 'images' : 'connecting';
  }

  add(box) {
    box.painter = new Painter(box.element);
    box.number = null;
    box.frames = 0;
    this.#boxes.set(box.key, box);
    const detail = this.#kicked.get(box.stream);
    if (detail !== undefined) this.#on.state(box, 'ended', 'kicked', detail);
    this.update();
    return box;
  }

  remove(box) {
    this.#boxes.delete(box.key);
    this.#free(box);
    this.#images?.drop(box);
    box.painter.clear();
    this.update();
  }

  start() {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#connect();
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#images?.close();
    this.#images = null;
    this.#socket?.close();
    this.#lose();
  }

  /// How old the picture in a box is now, in ms; NaN if that is not known.
  age(box) {
    return box.paintedAt ? box.age + performance.now() - box.paintedAt : NaN;
  }

  /// What is wanted has changed. Told once for all changes of the same moment.
  update() {
    if (this.#due) return;
    this.#due = setTimeout(() => {
      this.#due = 0;
      this.#tell();
    }, TOLD_MS);
  }

  #connect() {
    let socket;
    try {
      const url = new URL(at('api/v1/wall'));
      url.protocol = url.protocol.replace('http', 'ws');
      socket = new WebSocket(url, 'mjpeg-wall.1');
    } catch {
      return this.#failed();
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    // What comes from a connection that was given up does not count.
    const ifOurs = (what) => (event) => this.#socket === socket && what(event);
    socket.onmessage = ifOurs(({ data }) => {
      if (typeof data === 'string') this.#heed(data);
      else this.#take(data);
    });
    socket.onclose = ifOurs(() => {
      this.#lose();
      this.#failed();
    });
    this.#begun = performance.now();
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#measure(), PING_MS);
  }

  /// Connects at once, if it waits for a better moment.
  connect() {
    if (this.#isStopped || this.#socket) return;
    clearTimeout(this.#retry);
    this.#failures = 0;
    // Streams that have ended meanwhile are opened anew, if it comes to that.
    this.#images?.close();
    this.#images = null;
    this.#connect();
  }

  #failed() {
    if (this.#isStopped) return;
    this.#failures++;
    // The first time it may be a moment's trouble. A relay that does not answer has no streams.
    if (this.#failures > 1 && !this.#images && this.#on.answers()) {
      const kicked = (box) => this.#kick(box, 'this viewer was disconnected');
      this.#images = new Images({ ...this.#on, kicked });
      this.update();
    }
    const wait = Math.min(MOST_WAIT_MS, 500 * 2 ** Math.min(this.#failures, 10));
    this.#retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random()));
    this.#on.mode();
  }

  #lose() {
    clearInterval(this.#ping);
    this.#socket = null;
    this.#mostTiles = 0;
    this.#sent = '';
    this.#delay.reconnected();
    this.#pinged = null;
    for (const box of this.#boxes.values()) this.#free(box);
  }

  #measure() {
    const now = performance.now();
    // Of a page that is not seen no pictures come, and timers are late: only answers count.
    const asked = this.#mostTiles ? (this.#pinged?.at ?? now) : this.#begun;
    if (now - asked > SILENT_MS) {
      const socket = this.#socket;
      this.#lose();
      socket.close();
      return this.#failed();
    }
    if (!this.#mostTiles || this.#pinged) return;
    this.#pinged = { id: Math.floor(Math.random() * 2 ** 31), at: now };
    this.#send({ type: 'ping', id: this.#pinged.id });
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /// Takes a text message.
  #heed(text) {
    const message = JSON.parse(text);
    if (message.type === 'welcome') {
      this.#mostTiles = Math.min(message.max_tiles, 128);
      this.#failures = 0;
      this.#images?.close();
      this.#images = null;
      this.#measure();
      this.#tell();
      this.#on.mode();
    } else if (message.type === 'pong') {
      if (message.id !== this.#pinged?.id) return;
      this.#delay.trip(performance.now() - this.#pinged.at);
      this.#pinged = null;
    } else if (message.type === 'tile') {
      const box = this.#numbered(message.tile);
      if (!box) return;
      box.isTold = true;
      if (message.code === 'kicked') this.#kick(box, message.detail);
      else this.#on.state(box, message.state, message.code, message.detail);
    }
  }

  /// Somebody has disconnected this viewer from a stream.
  #kick(box, detail) {
    this.#on.state(box, 'ended', 'kicked', detail);
    this.#kicked.set(box.stream, detail);
    // It may have been asked for once more on the way.
    this.#free(box);
    this.update();
  }

  #numbered(number) {
    for (const box of this.#boxes.values()) if (box.number === number) return box;
    return undefined;
  }

  /// Takes a picture. However it goes on, the relay is told, else it would send no other.
  #take(data) {
    const arrived = performance.now();
    if (data.byteLength < HEADER_BYTES) return;
    const header = new DataView(data, 0, HEADER_BYTES);
    const [kind, flags, number] = [header.getUint8(0), header.getUint8(1), header.getUint16(2)];
    const socket = this.#socket;
    const ack = () => {
      const bytes = new DataView(new ArrayBuffer(12));
      bytes.setUint16(0, number);
      bytes.setBigUint64(4, header.getBigUint64(8));
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    };
    const box = this.#numbered(number);
    // One from before the number was given to this box is another stream's.
    if (!box?.isTold || document.hidden) return ack();
    const written = header.getUint32(4) / 1000;
    const sent = Number(header.getBigUint64(16)) / 1000 + written;
    const age = written + this.#delay.of(sent, arrived);
    box.painter.paint(new Uint8Array(data, HEADER_BYTES)).then(
      (size) => {
        ack();
        if (!size || box.number !== number) return;
        box.pictureWidth = kind === EIGHTH ? size.width * 8 : size.width;
        box.ratio = size.ratio;
        box.age = age;
        box.paintedAt = arrived;
        box.isPlaceholder = Boolean(flags & PLACEHOLDER);
        if (!(flags & REPEATED)) box.frames++;
        this.#on.frame(box);
        if (this.#isSmall(box) !== box.isSmall) this.update();
      },
      // It cannot be shown.
      ack,
    );
  }

  /// Whether an eighth of the picture is enough for the box.
  #isSmall({ canShrink, pictureWidth, element }) {
    if (!canShrink || !pictureWidth) return false;
    return element.parentElement.clientWidth * devicePixelRatio <= pictureWidth / 4;
  }

  #free(box) {
    // Last in the row: by then, nothing of this box is on its way.
    if (box.number !== null) this.#numbers.push(box.number);
    box.number = null;
    box.isTold = false;
  }

  #tell() {
    const isShown = ({ isVisible, stream }) => isVisible && !this.#kicked.has(stream);
    const isSeen = !document.hidden && !this.#isStopped;
    const shown = isSeen ? [...this.#boxes.values()].filter(isShown) : [];
    this.#images?.show(shown);
    if (!this.#mostTiles) return;
    const chosen = new Set(shown.slice(0, this.#mostTiles));
    for (const box of this.#boxes.values()) if (!chosen.has(box)) this.#free(box);
    const tiles = [...chosen].map((box) => {
      box.number ??= this.#numbers.shift();
      box.isSmall = this.#isSmall(box);
      const tile = { tile: box.number, stream: box.stream };
      if (box.fps) tile.fps = box.fps;
      if (box.isSmall) tile.scale = 'eighth';
      return tile;
    });
    const message = JSON.stringify({ type: 'tiles', tiles });
    if (message === this.#sent) return;
    this.#sent = message;
    this.#send(message);
  }

  /// Somebody wants to see a stream. Until then, none is asked for from which this viewer was
  /// disconnected.
  want(stream) {
    if (!this.#kicked.delete(stream)) return;
    // Of streams without a socket, the relay tells nothing.
    if (this.#images) {
      for (const box of this.#boxes.values()) {
        if (box.stream === stream) this.#on.state(box, 'connecting');
      }
    }
    this.retry();
  }

  /// Asks for boxes that were refused once more.
  retry() {
    this.#sent = '';
    this.update();
  }
}

// A picture in a box: on a canvas, decoded at the size at which it is shown. An `<img>` with a
// blob's address keeps several times the memory, and costs more (docs/wall-page.md).

/// Draws into a canvas that stands before the box's `<img>`, which is for streams without a socket.
export class Painter {
  #image;
  #canvas = null;
  #latest = 0;

  constructor(image) {
    this.#image = image;
  }

  /// Shows a picture. Returns its own width and the ratio of width to height at which it is shown
  /// when it has been painted, or `null` if a later one came before it. Fails if it cannot be shown.
  async paint(bytes) {
    const size = sizeOf(bytes);
    const number = ++this.#latest;
    const shown = Math.round(this.#canvas?.clientWidth * devicePixelRatio || 640);
    const blob = new Blob([bytes], { type: 'image/jpeg' });
    // Some pixels more are not worth another decoder's work.
    const isLarge = size && size.width > shown * 1.25;
    const options = { resizeWidth: shown, resizeQuality: 'medium' };
    const bitmap = await createImageBitmap(blob, isLarge ? options : {});
    try {
      await painted();
      if (number !== this.#latest) return null;
      const canvas = this.#shown();
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      }
      canvas.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0);
      return { width: size?.width ?? bitmap.width, ratio: bitmap.width / bitmap.height };
    } finally {
      // Else it is kept until the garbage is collected.
      bitmap.close();
    }
  }

  #shown() {
    if (this.#canvas) return this.#canvas;
    const canvas = document.createElement('canvas');
    canvas.className = 'picture';
    const label = this.#image.alt;
    if (label) canvas.setAttribute('role', 'img');
    if (label) canvas.setAttribute('aria-label', label);
    else canvas.setAttribute('aria-hidden', 'true');
    this.#image.before(canvas);
    this.#image.hidden = true;
    this.#canvas = canvas;
    return canvas;
  }

  /// Shows the `<img>` again, without a picture.
  clear() {
    this.#latest++;
    this.#canvas?.remove();
    this.#canvas = null;
    this.#image.hidden = false;
  }
}

/// Width and height in the frame header of a JPEG, whose Exif orientation may turn the picture;
/// `null` if they are not found.
export function sizeOf(bytes) {
  const view = new DataView(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
  let at = 2;
  while (at + 9 < view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/// Until the next picture of the screen; a hidden page has none.
const painted = () =>
  new Promise((done) => {
    const timer = setTimeout(done, 500);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      done();
    });
  });

// A picture in a box: on a canvas of the size at which it is shown. An `<img>` with a blob's address
// keeps several times the memory, and costs more (docs/wall-page.md).

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
    const number = ++this.#latest;
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
    try {
      await painted();
      if (number !== this.#latest) return null;
      const canvas = this.#shown();
      // No larger than it is shown. To let the bitmap be made so is as dear, and in Firefox on the
      // page's own thread.
      const shown = Math.round(canvas.clientWidth * devicePixelRatio) || 640;
      const width = Math.min(bitmap.width, shown);
      const height = Math.round((width * bitmap.height) / bitmap.width);
      if (canvas.width !== width || canvas.height !== height) {
        [canvas.width, canvas.height] = [width, height];
      }
      canvas.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0, width, height);
      return { width: bitmap.width, ratio: bitmap.width / bitmap.height };
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

/// Until the next picture of the screen; a hidden page has none.
const painted = () =>
  new Promise((done) => {
    const timer = setTimeout(done, 500);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      done();
    });
  });

// A picture in a box. An `<img>` with a blob's address costs less than a canvas (docs/wall-page.md).

export class Painter {
  #image;
  #url = '';

  constructor(element) {
    this.#image = element;
  }

  /// Shows a picture, and returns its size when it has been painted, or `null` if another one took
  /// its place. Fails if it cannot be shown.
  async paint(blob) {
    const image = this.#image;
    const url = URL.createObjectURL(blob);
    const before = this.#url;
    this.#url = url;
    image.src = url;
    try {
      await image.decode();
    } catch (error) {
      if (this.#url === url) throw error;
      return null;
    } finally {
      if (before) URL.revokeObjectURL(before);
    }
    await painted();
    return { width: image.naturalWidth, height: image.naturalHeight };
  }

  close() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.#image.removeAttribute('src');
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

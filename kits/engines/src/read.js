// Reads the number in a picture drawn by `picture.rs`; -1 if it is incomplete or not such a
// picture.
const canvas = document.createElement('canvas');
canvas.width = 320;
canvas.height = 240;
const context = canvas.getContext('2d', { willReadFrequently: true });

async function readNumber(img) {
  if (!img || !img.naturalWidth) return -1;
  // Not the <img> itself: Firefox keeps drawing its first picture.
  const bitmap = await createImageBitmap(img).catch(() => null);
  if (!bitmap) return -1;
  context.drawImage(bitmap, 0, 0, 320, 240);
  bitmap.close();
  const pixels = context.getImageData(0, 0, 320, 240).data;
  const lit = block => {
    const left = (block % 8) * 40 + 17, top = Math.floor(block / 8) * 60 + 27;
    let sum = 0;
    for (let y = top; y < top + 6; y++)
      for (let x = left; x < left + 6; x++) sum += pixels[(y * 320 + x) * 4];
    return sum > 36 * 128 ? 1 : 0;
  };
  let number = 0;
  for (let bit = 0; bit < 16; bit++) {
    if (lit(bit) === lit(bit + 16)) return -1;
    number = number * 2 + lit(bit);
  }
  return number;
}

//! Pictures whose number can be read from their pixels, through JPEG and through a canvas.
//!
//! A picture has 8 x 4 blocks, light for a one and dark for a zero. The upper two rows hold the
//! number's 16 bits, the highest first; the lower two hold the same bits inverted. If they
//! disagree, it is not one of the kit's pictures, or not a whole one. `page.js` reads them.

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};

pub(crate) const WIDTH: u16 = 320;
pub(crate) const HEIGHT: u16 = 240;
const COLUMNS: u16 = 8;
const ROWS: u16 = 4;

/// About 20 kB, as a small camera's picture, because the blocks are grainy.
pub(crate) fn numbered(number: u16) -> Bytes {
    let mut grain = fastrand::Rng::with_seed(u64::from(number));
    let mut luma = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT));
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let block = (y * ROWS / HEIGHT) * COLUMNS + x * COLUMNS / WIDTH;
            let bit = number >> (15 - block % 16) & 1 == 1;
            let light = bit == (block < 16);
            luma.push(if light { 190 } else { 0 } + grain.u8(0..64));
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 70)
        .encode(&luma, WIDTH, HEIGHT, ColorType::Luma)
        .expect("an image with sides above 0 is encoded into memory");
    jpeg.into()
}

//! Pictures that show their number so that a canvas can read it from the decoded pixels.
//!
//! A picture has 8 x 4 blocks, light for a one and dark for a zero. The upper two rows hold the
//! number's 16 bits, the highest first; the lower two hold the same bits inverted. If they
//! disagree, the picture is incomplete or not the kit's. `read.js` reads them.

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 240;
const COLUMNS: u16 = 8;
const ROWS: u16 = 4;

/// The picture with this number. Noise in the blocks makes it about 20 kB long, as a small
/// camera's.
pub(crate) fn numbered(number: u16) -> Bytes {
    let mut noise = fastrand::Rng::with_seed(u64::from(number));
    let mut luma = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT));
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let block = (y * ROWS / HEIGHT) * COLUMNS + x * COLUMNS / WIDTH;
            let bit = number >> (15 - block % 16) & 1 == 1;
            let light = bit == (block < 16);
            luma.push(if light { 190 } else { 0 } + noise.u8(0..64));
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 70)
        .encode(&luma, WIDTH, HEIGHT, ColorType::Luma)
        .expect("encoding into memory cannot fail");
    jpeg.into()
}

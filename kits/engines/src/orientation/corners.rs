//! A picture whose four corners have different colours, and how it is seen to be turned.

use anyhow::{Context as _, Result, ensure};
use jpeg_encoder::{ColorType, Encoder};

/// The picture, without Exif: 320 x 240, with JFIF's segment.
pub(super) fn plain() -> Result<Vec<u8>> {
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let corner = usize::from(y >= HEIGHT / 2) * 2 + usize::from(x >= WIDTH / 2);
            pixels.extend(COLOURS[corner]);
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 90)
        .encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)
        .context("encoding the picture")?;
    ensure!(
        jpeg[6..10] == *b"JFIF",
        "the encoder writes no JFIF segment"
    );
    Ok(jpeg)
}

/// Inserts an Exif segment with this orientation, or with none but the picture's resolution, behind
/// JFIF's segment or before it.
pub(super) fn with_exif(jpeg: &[u8], orientation: Option<u8>, is_behind_jfif: bool) -> Vec<u8> {
    let entry = match orientation {
        Some(value) => [1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0],
        // The unit of the resolution: inch.
        None => [1, 0x28, 0, 3, 0, 0, 0, 1, 0, 2, 0, 0],
    };
    let segment = [
        b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01",
        &entry[..],
        &[0; 4],
    ]
    .concat();
    let at = if is_behind_jfif { 20 } else { 2 };
    let (head, rest) = jpeg.split_at(at);
    [head, &segment, rest].concat()
}

/// The value of Exif's tag that describes what is seen: the colours of the four corners, row by
/// row. `None` if it is not the picture.
pub(super) fn seen(corners: [[u8; 3]; 4]) -> Option<u8> {
    let mut order = [0; 4];
    for (place, colour) in order.iter_mut().zip(corners) {
        *place = COLOURS.iter().position(|known| is_like(*known, colour))?;
    }
    let at = SHOWN.iter().position(|shown| *shown == order)?;
    u8::try_from(at + 1).ok()
}

/// What is seen in a picture of these pixels, which may have a dark margin. Also whether it has the
/// sides that it should have.
pub(super) fn seen_in(ppm: &[u8]) -> Result<Seen> {
    let Pixels { width, height, rgb } = Pixels::parse(ppm)?;
    let pixel = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    };
    let is_lit = |pixel: [u8; 3]| COLOURS.iter().any(|known| is_like(*known, pixel));
    let columns: Vec<usize> = (0..width)
        .filter(|x| (0..height).any(|y| is_lit(pixel(*x, y))))
        .collect();
    let rows: Vec<usize> = (0..height)
        .filter(|y| (0..width).any(|x| is_lit(pixel(x, *y))))
        .collect();
    let (Some(left), Some(right)) = (columns.first(), columns.last()) else {
        return Ok(Seen::Nothing);
    };
    let (Some(top), Some(bottom)) = (rows.first(), rows.last()) else {
        return Ok(Seen::Nothing);
    };
    let (wide, high) = (right - left + 1, bottom - top + 1);
    let at = |x: usize, y: usize| pixel(left + wide * x / 4, top + high * y / 4);
    let corners = [at(1, 1), at(3, 1), at(1, 3), at(3, 3)];
    Ok(Seen::of(corners, wide, high))
}

/// What a viewer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The picture, as this value of Exif's tag demands.
    Shown(u8),
    /// The same, but squeezed into other sides.
    Squeezed(u8),
    /// Not the picture.
    Nothing,
}

impl Seen {
    /// From the colours of the corners, and the sides of what is seen.
    pub(super) fn of(corners: [[u8; 3]; 4], width: usize, height: usize) -> Self {
        match seen(corners) {
            Some(value) if (value >= 5) == (height > width) => Self::Shown(value),
            Some(value) => Self::Squeezed(value),
            None => Self::Nothing,
        }
    }
}

fn is_like(known: [u8; 3], colour: [u8; 3]) -> bool {
    known.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 60)
}

/// The pixels of a binary PPM.
struct Pixels<'p> {
    width: usize,
    height: usize,
    rgb: &'p [u8],
}

impl<'p> Pixels<'p> {
    fn parse(ppm: &'p [u8]) -> Result<Self> {
        let mut rest = ppm.strip_prefix(b"P6").context("not a PPM")?;
        let mut numbers = [0_usize; 3];
        for number in &mut numbers {
            rest = rest.trim_ascii_start();
            while rest.first() == Some(&b'#') {
                let end = rest.iter().position(|&byte| byte == b'\n');
                rest = rest[end.context("a comment without an end")?..].trim_ascii_start();
            }
            let end = rest.iter().position(|byte| !byte.is_ascii_digit());
            let (digits, after) = rest.split_at(end.context("a PPM without pixels")?);
            *number = str::from_utf8(digits)?.parse()?;
            rest = after;
        }
        let [width, height, _] = numbers;
        let rgb = rest.get(1..).unwrap_or_default();
        ensure!(rgb.len() >= width * height * 3, "a PPM that is cut off");
        Ok(Self { width, height, rgb })
    }
}

const WIDTH: u16 = 320;
const HEIGHT: u16 = 240;

/// Of the corners, row by row: red, green, blue, yellow.
const COLOURS: [[u8; 3]; 4] = [[220, 30, 30], [30, 190, 30], [30, 30, 220], [220, 220, 30]];

/// Which corner is seen where, for the values 1 to 8 of Exif's tag.
const SHOWN: [[usize; 4]; 8] = [
    [0, 1, 2, 3],
    [1, 0, 3, 2],
    [3, 2, 1, 0],
    [2, 3, 0, 1],
    [0, 2, 1, 3],
    [2, 0, 3, 1],
    [3, 1, 2, 0],
    [1, 3, 0, 2],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn ppm(order: [usize; 4], width: usize, height: usize) -> Vec<u8> {
        let mut ppm = format!("P6\n# made\n{} {}\n255\n", width + 20, height).into_bytes();
        for y in 0..height {
            for x in 0..width + 20 {
                let corner = usize::from(y >= height / 2) * 2 + usize::from(x >= 10 + width / 2);
                let is_margin = x < 10 || x >= width + 10;
                ppm.extend(if is_margin {
                    [0; 3]
                } else {
                    COLOURS[order[corner]]
                });
            }
        }
        ppm
    }

    #[test]
    fn what_is_seen_is_told_with_a_margin_and_squeezed() {
        for (value, order) in (1..).zip(SHOWN) {
            let (wide, high) = if value < 5 { (80, 60) } else { (60, 80) };
            let seen = |w, h| seen_in(&ppm(order, w, h)).unwrap();
            assert_eq!(seen(wide, high), Seen::Shown(value));
            assert_eq!(seen(high, wide), Seen::Squeezed(value));
        }
        assert_eq!(seen_in(&ppm([0; 4], 80, 60)).unwrap(), Seen::Nothing);
        assert!(seen_in(b"P6\n9 9\n255\n").is_err() && seen_in(b"").is_err());
    }
}

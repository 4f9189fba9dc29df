//! Numbered pictures. The decoded pixels show the number, and whether the picture is whole.
//!
//! Each picture is a board of coloured tiles and is recognised only by all of them. A picture that
//! ends in the middle, or shows half of another, is not recognised.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The size and texture of the pictures of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// The amplitude of the noise. More noise makes the JPEG longer.
    pub(crate) grain: u8,
}

impl Look {
    /// The JPEG with this number: baseline, with Huffman tables, without a thumbnail or comments.
    pub(crate) fn jpeg(self, number: u32) -> Result<Bytes> {
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, QUALITY);
        encoder
            .encode(&self.draw(number), self.width, self.height, ColorType::Rgb)
            .context("encoding a picture")?;
        Ok(jpeg.into())
    }

    fn draw(self, number: u32) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(u64::from(number) + 1);
        let colours = board(number);
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let tile = y * ROWS / height * COLUMNS + x * COLUMNS / width;
                for sample in colours[tile] {
                    let grain = random.u8(0..=self.grain);
                    pixels.push((sample - self.grain / 2).saturating_add(grain));
                }
            }
        }
        pixels
    }
}

/// How closely a program's pictures must match the camera's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fidelity {
    /// The program passes the JPEG on, so the decoded pixels must be the same.
    Exact,
    /// The program re-encodes the picture, so each tile must have about the right colour.
    Tiles,
}

/// The numbers of the pictures that a program saw.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) good: Vec<u32>,
    /// Good pictures seen again. One repeat directly after the picture does not count, because the
    /// relay itself repeats once.
    pub(crate) repeated: usize,
    pub(crate) corrupt: usize,
}

/// Recognises the pictures 0 to n-1 of one look.
pub(crate) struct Judge {
    known: Vec<(Tiles, Decoded)>,
}

impl Judge {
    pub(crate) fn new(look: Look, numbers: u32) -> Result<Self> {
        let known = (0..numbers).map(|number| {
            let decoded = decode(&look.jpeg(number)?)?;
            Ok((decoded.tiles(), decoded))
        });
        Ok(Self {
            known: known.collect::<Result<_>>()?,
        })
    }

    /// Scores JPEGs in the order in which they were seen.
    pub(crate) fn score<'j>(
        &self,
        jpegs: impl IntoIterator<Item = &'j [u8]>,
        fidelity: Fidelity,
    ) -> Score {
        let mut score = Score::default();
        let mut may_repeat = false;
        for jpeg in jpegs {
            match self.number(jpeg, fidelity) {
                Some(number) if may_repeat && score.good.last() == Some(&number) => {
                    may_repeat = false;
                }
                Some(number) if score.good.contains(&number) => score.repeated += 1,
                Some(number) => {
                    score.good.push(number);
                    may_repeat = true;
                }
                None => score.corrupt += 1,
            }
        }
        score
    }

    fn number(&self, jpeg: &[u8], fidelity: Fidelity) -> Option<u32> {
        let seen = decode(jpeg).ok()?;
        let tiles = seen.tiles();
        let index = self.known.iter().position(|(known, whole)| match fidelity {
            Fidelity::Exact => *whole == seen,
            Fidelity::Tiles => whole.size == seen.size && alike(known, &tiles),
        });
        u32::try_from(index?).ok()
    }
}

#[derive(PartialEq, Eq)]
struct Decoded {
    size: (usize, usize),
    rgb: Vec<u8>,
}

impl Decoded {
    /// The mean colour of the centre of each tile. At the edges colours blend.
    fn tiles(&self) -> Tiles {
        let (width, height) = self.size;
        let (tile_width, tile_height) = (width / COLUMNS, height / ROWS);
        let mut means = Vec::new();
        for tile in 0..COLUMNS * ROWS {
            let left = tile % COLUMNS * width / COLUMNS;
            let top = tile / COLUMNS * height / ROWS;
            let mut sums = [0_usize; 3];
            let mut count = 0;
            for y in top + tile_height / 4..top + tile_height * 3 / 4 {
                for x in left + tile_width / 4..left + tile_width * 3 / 4 {
                    let at = (y * width + x) * 3;
                    for (sum, sample) in sums.iter_mut().zip(&self.rgb[at..at + 3]) {
                        *sum += usize::from(*sample);
                    }
                    count += 1;
                }
            }
            means.push(sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)));
        }
        means
    }
}

type Tiles = Vec<[u8; 3]>;

fn alike(ours: &Tiles, theirs: &Tiles) -> bool {
    let mut samples = ours.iter().flatten().zip(theirs.iter().flatten());
    samples.all(|(a, b)| a.abs_diff(*b) <= TOLERANCE)
}

/// The colours of a number's tiles. The levels are far apart.
fn board(number: u32) -> Tiles {
    const LEVELS: [u8; 3] = [40, 128, 215];
    let mut random = fastrand::Rng::with_seed(u64::from(number) << 32 | 0x5eed);
    let mut level = || LEVELS[random.usize(..LEVELS.len())];
    let tiles = 0..COLUMNS * ROWS;
    tiles.map(|_| [level(), level(), level()]).collect()
}

fn decode(jpeg: &[u8]) -> Result<Decoded> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let rgb = decoder.decode().context("decoding a picture")?;
    let size = decoder.dimensions().context("a picture has a size")?;
    let is_rgb = rgb.len() == size.0 * size.1 * 3;
    ensure!(is_rgb, "a picture is not in colour");
    Ok(Decoded { size, rgb })
}

const COLUMNS: usize = 8;
const ROWS: usize = 6;
const QUALITY: u8 = 85;
/// Less than half the distance between two levels.
const TOLERANCE: u8 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        width: 320,
        height: 240,
        grain: 8,
    };

    fn score(jpegs: &[&[u8]], fidelity: Fidelity) -> Score {
        let judge = Judge::new(LOOK, 3).unwrap();
        judge.score(jpegs.iter().copied(), fidelity)
    }

    #[test]
    fn pictures_are_recognised_and_one_direct_repeat_is_allowed() {
        for fidelity in [Fidelity::Exact, Fidelity::Tiles] {
            for (seen, good, repeated) in [
                (&[2, 0, 2][..], &[2, 0][..], 1),
                (&[0, 0, 1, 1], &[0, 1], 0),
                (&[0, 0, 0], &[0], 1),
            ] {
                let jpegs: Vec<_> = seen.iter().map(|n| LOOK.jpeg(*n).unwrap()).collect();
                let jpegs: Vec<&[u8]> = jpegs.iter().map(|jpeg| &jpeg[..]).collect();
                let score = score(&jpegs, fidelity);
                assert_eq!((&score.good[..], score.repeated), (good, repeated));
                assert_eq!(score.corrupt, 0);
            }
        }
    }

    #[test]
    fn other_and_broken_pictures_are_corrupt() {
        let whole = LOOK.jpeg(1).unwrap();
        let stranger = LOOK.jpeg(7).unwrap();
        let mut cut = whole[..whole.len() / 2].to_vec();
        cut.extend([0xFF, 0xD9]);
        for fidelity in [Fidelity::Exact, Fidelity::Tiles] {
            for jpeg in [&stranger[..], &cut, b"no picture", b""] {
                assert_eq!(score(&[jpeg], fidelity).corrupt, 1);
            }
        }
    }

    #[test]
    fn a_re_encoded_picture_matches_by_tiles_only() {
        let mut again = Vec::new();
        let rgb = decode(&LOOK.jpeg(1).unwrap()).unwrap().rgb;
        Encoder::new(&mut again, 60)
            .encode(&rgb, LOOK.width, LOOK.height, ColorType::Rgb)
            .unwrap();
        assert_eq!(score(&[&again], Fidelity::Tiles).good, [1]);
        assert_eq!(score(&[&again], Fidelity::Exact).corrupt, 1);
    }
}

//! The camera's pictures: JPEGs of one length, each with a stamp. Camera and viewers generate the
//! same ones, so a viewer knows every byte in advance.

use std::ops::Range;

use anyhow::{Result, ensure};
use mjpeg_testkit::jpeg;

use crate::fanout::wire::DELIMITER;

/// The pictures that a camera sends in turn.
pub(crate) struct Pictures {
    len: usize,
    /// Each without its stamp, but with the delimiter that follows it on the wire.
    followed: Vec<Vec<u8>>,
}

impl Pictures {
    /// Generates them, `len` bytes each.
    pub(crate) fn new(len: usize) -> Result<Self> {
        ensure!(
            len >= MIN_BYTES,
            "a picture needs at least {MIN_BYTES} bytes, not {len}"
        );
        let followed = (0..DIFFERENT).map(|number| {
            let mut picture = one(number, len);
            picture.extend_from_slice(DELIMITER);
            picture
        });
        Ok(Self {
            len,
            followed: followed.collect(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The picture with this number, and the delimiter after it. The stamp's place holds other
    /// bytes.
    pub(crate) fn followed(&self, number: u64) -> &[u8] {
        &self.followed[(number % u64::from(DIFFERENT)) as usize]
    }

    /// The picture as the camera sends it.
    #[cfg(test)]
    pub(crate) fn stamped(&self, stamp: Stamp) -> Vec<u8> {
        let mut picture = self.followed(stamp.number)[..self.len].to_vec();
        stamp.write(&mut picture);
        picture
    }
}

/// The number of a picture, and when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Counted by the camera from 1, without gaps.
    pub(crate) number: u64,
    /// By `CLOCK_MONOTONIC`.
    pub(crate) sent_ns: u64,
}

impl Stamp {
    /// Writes the stamp into a picture.
    pub(crate) fn write(self, picture: &mut [u8]) {
        picture[STAMP].copy_from_slice(self.text().as_bytes());
    }

    /// Reads the stamp of a picture, of which at least the bytes up to the end of [`STAMP`] are
    /// needed. `None` if the stamp is damaged.
    pub(crate) fn read(picture: &[u8]) -> Option<Self> {
        let text = str::from_utf8(picture.get(STAMP)?).ok()?;
        let field = |at: Range<usize>| u64::from_str_radix(text.get(at)?, 16).ok();
        let stamp = Self {
            number: field(0..16)?,
            sent_ns: field(16..32)?,
        };
        (stamp.text() == text).then_some(stamp)
    }

    /// Hexadecimal digits, because they contain no `FF`. The last eight are a checksum.
    fn text(self) -> String {
        let Self { number, sent_ns } = self;
        let check = (number ^ sent_ns.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        format!("{number:016x}{sent_ns:016x}{check:08x}")
    }
}

/// A picture that begins with a comment, which has room for the stamp and pads the picture to its
/// length.
fn one(number: u32, len: usize) -> Vec<u8> {
    let room = len - COMMENT_HEADER_BYTES;
    let mut target = room - STAMP.len();
    loop {
        let jpeg = jpeg::dense(number, target);
        if jpeg.len() + STAMP.len() <= room {
            let comment = vec![b'.'; room - jpeg.len()];
            return jpeg::with_segment(&jpeg, COM, &comment).into();
        }
        target = target * 31 / 32;
    }
}

/// The place of the stamp, in a comment directly after SOI.
pub(crate) const STAMP: Range<usize> = 6..46;
/// The number of different pictures.
const DIFFERENT: u32 = 4;
/// Shorter JPEGs have no room for a picture after their headers.
const MIN_BYTES: usize = 1500;
const COM: u8 = 0xfe;
/// Marker and length.
const COMMENT_HEADER_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const A_STAMP: Stamp = Stamp {
        number: 7,
        sent_ns: 0xffff_ffff_ffff,
    };

    #[test]
    fn pictures_are_different_jpegs_of_the_given_length() {
        for len in [MIN_BYTES, 2_000, 20_000, 100_000] {
            let pictures = Pictures::new(len).unwrap();
            for number in 0..4 {
                let stamp = Stamp { number, ..A_STAMP };
                let picture = pictures.stamped(stamp);
                assert_eq!(picture.len(), len);
                assert_eq!(jpeg::number_of(&picture), Some(number as u32));
                assert!(picture.ends_with(&[0xff, 0xd9]));
                let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&picture));
                decoder.decode().unwrap();
            }
        }
        assert!(Pictures::new(MIN_BYTES - 1).is_err());
    }

    #[test]
    fn stamps_are_read_unless_they_are_damaged() {
        let mut picture = Pictures::new(2_000).unwrap().stamped(A_STAMP);
        assert_eq!(Stamp::read(&picture), Some(A_STAMP));
        for at in STAMP {
            let kept = picture[at];
            picture[at] = if kept == b'0' { b'1' } else { b'0' };
            assert_eq!(Stamp::read(&picture), None, "byte {at}");
            picture[at] = kept;
        }
        assert_eq!(Stamp::read(&picture[..STAMP.end - 1]), None);
    }
}

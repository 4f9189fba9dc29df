//! What the camera sends, for each row of the table.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use mjpeg_testkit::jpeg;

use crate::picture::{Judge, Look};

/// A form in which the camera sends its pictures.
pub(crate) struct Row {
    /// Its name on the command line.
    pub(crate) word: &'static str,
    /// Its name in the table.
    pub(crate) name: &'static str,
    look: Look,
    /// Whether viewers request the layout with headers in advance.
    pub(crate) advance_headers: bool,
    shots: fn(u32, Bytes) -> Result<Vec<Shot>>,
}

impl Row {
    const fn new(
        word: &'static str,
        name: &'static str,
        shots: fn(u32, Bytes) -> Result<Vec<Shot>>,
    ) -> Self {
        Self {
            word,
            name,
            look: USUAL,
            advance_headers: false,
            shots,
        }
    }

    /// The path that viewers request.
    pub(crate) fn path(&self) -> &'static str {
        match self.advance_headers {
            true => "/?advance_headers=1",
            false => "/",
        }
    }

    /// The time from one picture to the next. Longer for large pictures: on a busy machine, ffprobe
    /// takes more than 100 ms to print one.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(if self.look == LARGE { 250 } else { 100 })
    }

    /// Why this viewer would never request this row.
    pub(crate) fn not_for(&self, viewer: &str) -> Option<&'static str> {
        (self.advance_headers && viewer == "Mainsail")
            .then_some("Mainsail needs Content-Length, and does not ask to leave it out")
    }
}

/// What the camera sends for one picture, or in place of one. The camera pauses after each of these
/// writes, so that they arrive separately.
pub(crate) type Shot = Vec<Bytes>;

/// A row with its pictures, ready to be measured.
pub(crate) struct Prepared {
    pub(crate) row: &'static Row,
    pub(crate) judge: Judge,
    pub(crate) shots: Vec<Shot>,
    /// Why this relay cannot serve the row.
    pub(crate) unavailable: Option<&'static str>,
}

impl Prepared {
    pub(crate) fn new(row: &'static Row) -> Result<Self> {
        let mut shots = Vec::new();
        for number in 0..FRAMES {
            shots.extend((row.shots)(number, row.look.jpeg(number)?)?);
        }
        Ok(Self {
            row,
            judge: Judge::new(row.look, FRAMES)?,
            shots,
            unavailable: None,
        })
    }
}

/// How many pictures each viewer must see, whatever else the camera sends.
pub(crate) const FRAMES: u32 = 10;

/// Both sides are multiples of 32, because VLC rounds the size of the pictures it writes up to
/// that.
const USUAL: Look = Look {
    width: 320,
    height: 256,
    grain: 16,
};
const THUMBNAIL: Look = Look {
    width: 160,
    height: 120,
    grain: 0,
};
/// About 80 kB, as cameras of this size send. A picture takes many reads, yet no viewer is slow
/// enough to skip one.
const LARGE: Look = Look {
    width: 1024,
    height: 768,
    grain: 14,
};

pub(crate) const ALL: &[Row] = &[
    Row::new("plain", "plain pictures", |_, jpeg| one(jpeg)),
    Row::new("thumbnail", "Exif thumbnail in each", |number, jpeg| {
        one(jpeg::with_thumbnail(&jpeg, &THUMBNAIL.jpeg(number)?))
    }),
    Row::new("no-dht", "no Huffman tables (DHT)", |_, jpeg| {
        one(jpeg::without_dht(&jpeg))
    }),
    Row::new("markers", "SOI and EOI in a comment", |_, jpeg| {
        one(comment(&jpeg, b"\xFF\xD9 and \xFF\xD8"))
    }),
    Row::new(
        "delimiter",
        "what looks like a delimiter in it",
        |_, jpeg| one(comment(&jpeg, b"\r\n--\r\n\r\n--other\r\n\r\n")),
    ),
    Row::new("junk", "junk after EOI", |number, jpeg| {
        one(Bytes::from([&jpeg[..], junk(number)].concat()))
    }),
    Row::new("cut", "one more, cut off midway", |number, jpeg| {
        let half = (number == FRAMES / 2).then(|| jpeg.slice(..jpeg.len() / 2));
        let shots = half.into_iter().chain([jpeg]);
        Ok(shots.map(|bytes| vec![bytes]).collect())
    }),
    Row::new("split", "SOI split over two writes", |_, jpeg| {
        Ok(vec![vec![jpeg.slice(..1), jpeg.slice(1..)]])
    }),
    Row::new("pieces", "each in six late pieces", |_, jpeg| {
        let pieces = jpeg.chunks(jpeg.len().div_ceil(6));
        Ok(vec![pieces.map(|piece| jpeg.slice_ref(piece)).collect()])
    }),
    Row {
        look: LARGE,
        ..Row::new("large", "large pictures (1024x768)", |_, jpeg| one(jpeg))
    },
    Row {
        advance_headers: true,
        ..Row::new("advance", "plain, `advance_headers=1`", |_, jpeg| one(jpeg))
    },
];

fn one(jpeg: Bytes) -> Result<Vec<Shot>> {
    Ok(vec![vec![jpeg]])
}

fn comment(jpeg: &[u8], text: &[u8]) -> Bytes {
    const COM: u8 = 0xFE;
    jpeg::with_segment(jpeg, COM, text)
}

/// Junk that cameras send: padding, multipart framing, a line of text.
fn junk(number: u32) -> &'static [u8] {
    const KINDS: [&[u8]; 4] = [
        &[0; 500],
        b"\r\n--boundarydonotcross\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n",
        &[0xFF; 3],
        b"\r\nframe done\r\n\r\n",
    ];
    KINDS[number as usize % KINDS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_send_all_pictures_and_have_unique_words() {
        let mut words: Vec<_> = ALL.iter().map(|row| row.word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ALL.len());
        for row in ALL {
            let jpeg = USUAL.jpeg(5).unwrap();
            let shots = (row.shots)(5, jpeg).unwrap();
            assert_eq!(shots.len(), if row.word == "cut" { 2 } else { 1 });
        }
    }
}

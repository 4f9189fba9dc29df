//! What the camera sends, row by row of the table.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use mjpeg_testkit::jpeg;

use crate::picture::Look;

pub(crate) struct Row {
    /// For the command line.
    pub(crate) word: &'static str,
    pub(crate) name: &'static str,
    /// The path that viewers request.
    pub(crate) path: &'static str,
    pub(crate) look: Look,
    shot: fn(u32, Bytes) -> Result<Vec<Shot>>,
}

impl Row {
    /// What the camera sends for the picture of this number.
    pub(crate) fn shots(&self, number: u32) -> Result<Vec<Shot>> {
        (self.shot)(number, self.look.jpeg(number)?)
    }

    /// Whether viewers ask the relay for the layout with headers in advance.
    pub(crate) fn asks_for_advance_headers(&self) -> bool {
        self.path == ADVANCE_HEADERS
    }

    /// The time from one picture to the next. Longer for large ones: on a busy machine, ffprobe
    /// takes more than 100 ms to print one of them.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(if self.look == LARGE { 250 } else { 100 })
    }

    /// Why a viewer would never ask for this.
    pub(crate) fn not_for(&self, viewer: &str) -> Option<&'static str> {
        (self.path == ADVANCE_HEADERS && viewer == "Mainsail")
            .then_some("Mainsail needs Content-Length, and does not ask to leave it out")
    }
}

/// What the camera sends for one picture, or in place of one.
#[derive(Clone)]
pub(crate) struct Shot {
    /// Each is a write of its own with a pause after it, so that it arrives by itself.
    pub(crate) writes: Vec<Bytes>,
}

impl From<Bytes> for Shot {
    fn from(whole: Bytes) -> Self {
        Self {
            writes: vec![whole],
        }
    }
}

/// How many pictures every viewer must see, whatever else the camera sends.
pub(crate) const FRAMES: u32 = 10;

const ADVANCE_HEADERS: &str = "/?advance_headers=1";

/// Both sides are multiples of 32: VLC rounds the size of the pictures that it writes up to that.
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
/// About 80 kB, as a camera of this size sends. A picture takes many reads, and no reader is slow
/// enough to skip one.
const LARGE: Look = Look {
    width: 1024,
    height: 768,
    grain: 14,
};

pub(crate) const ALL: &[Row] = &[
    row("plain", "plain pictures", "/", USUAL, |_, jpeg| one(jpeg)),
    row(
        "thumbnail",
        "Exif thumbnail in each",
        "/",
        USUAL,
        |number, jpeg| one(jpeg::with_thumbnail(&jpeg, &THUMBNAIL.jpeg(number)?)),
    ),
    row(
        "no-dht",
        "no Huffman tables (DHT)",
        "/",
        USUAL,
        |_, jpeg| one(jpeg::without_dht(&jpeg)),
    ),
    row(
        "markers",
        "SOI and EOI in a comment",
        "/",
        USUAL,
        |_, jpeg| one(comment(&jpeg, b"\xFF\xD9 and \xFF\xD8")),
    ),
    row(
        "delimiter",
        "what looks like a delimiter in it",
        "/",
        USUAL,
        |_, jpeg| one(comment(&jpeg, b"\r\n--\r\n\r\n--other\r\n\r\n")),
    ),
    row("junk", "junk after EOI", "/", USUAL, |number, jpeg| {
        one(Bytes::from([&jpeg[..], junk(number)].concat()))
    }),
    row(
        "cut",
        "one more, cut off midway",
        "/",
        USUAL,
        |number, jpeg| {
            let half = (number == FRAMES / 2).then(|| jpeg.slice(..jpeg.len() / 2));
            let broken = half.map(Shot::from);
            Ok(broken.into_iter().chain([jpeg.into()]).collect())
        },
    ),
    row(
        "split",
        "SOI split over two writes",
        "/",
        USUAL,
        |_, jpeg| {
            let writes = vec![jpeg.slice(..1), jpeg.slice(1..)];
            Ok(vec![Shot { writes }])
        },
    ),
    row(
        "pieces",
        "each in six late pieces",
        "/",
        USUAL,
        |_, jpeg| {
            let piece = jpeg.len().div_ceil(6);
            let writes = jpeg
                .chunks(piece)
                .map(|piece| jpeg.slice_ref(piece))
                .collect();
            Ok(vec![Shot { writes }])
        },
    ),
    row(
        "large",
        "large pictures (1024x768)",
        "/",
        LARGE,
        |_, jpeg| one(jpeg),
    ),
    row(
        "advance",
        "plain, `advance_headers=1`",
        ADVANCE_HEADERS,
        USUAL,
        |_, jpeg| one(jpeg),
    ),
];

const fn row(
    word: &'static str,
    name: &'static str,
    path: &'static str,
    look: Look,
    shot: fn(u32, Bytes) -> Result<Vec<Shot>>,
) -> Row {
    Row {
        word,
        name,
        path,
        look,
        shot,
    }
}

fn one(jpeg: Bytes) -> Result<Vec<Shot>> {
    Ok(vec![jpeg.into()])
}

fn comment(jpeg: &[u8], text: &[u8]) -> Bytes {
    const COM: u8 = 0xFE;
    jpeg::with_segment(jpeg, COM, text)
}

/// Junk as cameras send it: padding, a text line, the framing of a multipart stream.
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
    fn rows_send_all_pictures_and_have_words_of_their_own() {
        let mut words: Vec<_> = ALL.iter().map(|row| row.word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ALL.len());
        for row in ALL {
            let jpeg = USUAL.jpeg(5).unwrap();
            let shots = (row.shot)(5, jpeg).unwrap();
            assert_eq!(shots.len(), if row.word == "cut" { 2 } else { 1 });
        }
    }
}

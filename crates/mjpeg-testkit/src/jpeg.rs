//! Small real JPEGs, which every decoder accepts. The same arguments always give the same bytes.
//!
//! Unless a function says otherwise, they are baseline (SOF0), 8 bit, three components, with the
//! standard Huffman tables in DHT segments and a comment with the frame's number, which
//! [`number_of`] reads.

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::walk::{APP0, APP1, COM, DHT, SOI, SOS, segments};

/// Makes a JPEG of 64 x 48 pixels, about 1.5 kB. Its colour and comment (`n=<number>`) come from
/// `number`.
///
/// # Examples
///
/// ```
/// use mjpeg_testkit::jpeg;
///
/// assert_ne!(jpeg::numbered(1), jpeg::numbered(2));
/// assert_eq!(jpeg::number_of(&jpeg::numbered(1)), Some(1));
/// ```
#[must_use]
pub fn numbered(number: u32) -> Bytes {
    sized(number, WIDTH, HEIGHT)
}

/// Makes a JPEG like [`numbered`] of `width` x `height` pixels.
///
/// # Panics
///
/// If a side is 0.
#[must_use]
pub fn sized(number: u32, width: u16, height: u16) -> Bytes {
    encode(
        number,
        width,
        height,
        &tinted(number, width, height),
        |_| (),
    )
}

/// Makes a JPEG of at least `min_bytes` bytes. Its content is noise seeded by `number`, so the scan
/// is as long as in a camera's frame. From a few kB on it is at most a fifth longer than
/// `min_bytes`; below that, it is one small image.
///
/// In its scan an `FF` occurs about every 900 bytes, less often than in real frames; see [`dense`].
///
/// # Panics
///
/// If no JPEG can be that long (some gigabytes).
#[must_use]
pub fn of_length(number: u32, min_bytes: usize) -> Bytes {
    noise(number, min_bytes, |_| ())
}

/// Makes a JPEG like [`of_length`] with Huffman tables optimized for it, as hardware encoders have
/// for their images. No code is more likely than others, so an `FF` occurs about every 200 bytes.
/// In frames of real cameras it occurs every 130 to 220 bytes (measured).
///
/// # Panics
///
/// If no JPEG can be that long (some gigabytes).
#[must_use]
pub fn dense(number: u32, min_bytes: usize) -> Bytes {
    noise(number, min_bytes, |encoder| {
        encoder.set_optimized_huffman_tables(true);
    })
}

/// Makes a JPEG like [`numbered`] with a restart marker after every `interval` blocks of 8 x 8
/// pixels: a DRI segment, and at least two RSTn in the scan. It has 64 x 48 pixels (48 blocks), or
/// more if `interval` requires it.
///
/// # Panics
///
/// If `interval` is 0, which means no restarts.
#[must_use]
pub fn with_restarts(number: u32, interval: u16) -> Bytes {
    assert!(interval > 0, "a restart interval of 0 means no restarts");
    let blocks = 3 * usize::from(interval);
    let (width, height) = if blocks <= 48 {
        (WIDTH, HEIGHT)
    } else {
        four_by_three(blocks * 64)
    };
    encode(
        number,
        width,
        height,
        &tinted(number, width, height),
        |encoder| {
            // Without chroma subsampling an MCU is one block of 8 x 8, so short intervals give many
            // restarts.
            encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
            encoder.set_restart_interval(interval);
        },
    )
}

/// Makes a progressive JPEG (SOF2) of 64 x 48 pixels with several scans, and Huffman tables between
/// them.
#[must_use]
pub fn progressive(number: u32) -> Bytes {
    encode(
        number,
        WIDTH,
        HEIGHT,
        &tinted(number, WIDTH, HEIGHT),
        |encoder| {
            encoder.set_progressive(true);
            encoder.set_optimized_huffman_tables(true);
        },
    )
}

/// What a camera that speaks RTSP may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtspPicture {
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// 1 to 100, as libjpeg has it.
    pub quality: u8,
    /// 4:2:0 if it is set, else 4:2:2.
    pub halves_lines: bool,
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: u16,
}

/// Makes a JPEG as RTP can carry it (RFC 2435). Like [`numbered`] otherwise.
///
/// # Panics
///
/// If a side is 0.
#[must_use]
pub fn rtsp_picture(number: u32, picture: RtspPicture) -> Bytes {
    encoded_rtsp_picture(number, picture, false)
}

/// Like [`rtsp_picture`], but with Huffman tables that are made for it. RTP does not carry them.
///
/// # Panics
///
/// If a side is 0.
#[must_use]
pub fn rtsp_picture_with_own_tables(number: u32, picture: RtspPicture) -> Bytes {
    encoded_rtsp_picture(number, picture, true)
}

fn encoded_rtsp_picture(number: u32, picture: RtspPicture, has_own_tables: bool) -> Bytes {
    let (width, height) = (picture.width, picture.height);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, picture.quality);
    encoder.set_optimized_huffman_tables(has_own_tables);
    // libjpeg's tables, and those of RFC 2435: annex K of T.81.
    encoder.set_quantization_tables(
        jpeg_encoder::QuantizationTableType::Default,
        jpeg_encoder::QuantizationTableType::Default,
    );
    encoder.set_sampling_factor(if picture.halves_lines {
        SamplingFactor::R_4_2_0
    } else {
        SamplingFactor::R_4_2_2
    });
    if picture.restart_interval > 0 {
        encoder.set_restart_interval(picture.restart_interval);
    }
    encoder
        .encode(
            &tinted(number, width, height),
            width,
            height,
            ColorType::Rgb,
        )
        .expect("an image with no side of 0 can be encoded into memory");
    jpeg.into()
}

/// Puts a number where RTP carries it, which carries no comments: into the quantization of the
/// highest frequencies of colour. [`number_of`] reads it.
///
/// # Panics
///
/// If `jpeg` has no second table of 8 bits.
#[must_use]
pub fn with_table_number(jpeg: &[u8], number: u32) -> Bytes {
    let table = second_table(jpeg).expect("a second table");
    let mut jpeg = jpeg.to_vec();
    let (marked, digits) = jpeg[table].split_at_mut(8);
    marked.copy_from_slice(&TABLE_MARK);
    for (nth, digit) in digits.iter_mut().enumerate() {
        // A quantizer is never 0.
        *digit = 1 + (number >> (4 * nth) & 15) as u8;
    }
    jpeg.into()
}

fn table_number(jpeg: &[u8]) -> Option<u32> {
    let (marked, digits) = jpeg[second_table(jpeg)?].split_at(8);
    let digit = |nth: usize| u32::from(digits[nth].wrapping_sub(1) & 15) << (4 * nth);
    (marked == TABLE_MARK).then(|| (0..8).map(digit).sum())
}

/// Where the last 16 entries of the second quantization table are.
fn second_table(jpeg: &[u8]) -> Option<std::ops::Range<usize>> {
    let tables = segments(jpeg).take_while(|segment| segment.marker != SOS);
    let tables = tables.filter(|segment| segment.marker == 0xdb);
    let mut tables = tables.flat_map(|segment| segment.payload.step_by(65));
    let begin = tables.find(|&at| jpeg[at] == 1)?;
    Some(begin + 49..begin + 65).filter(|table| table.end <= jpeg.len())
}

/// Reads the number that the functions here put into the comment or a table. Returns `None` if
/// there is none.
///
/// Ignores images embedded in a segment, and everything after the first scan's header.
#[must_use]
pub fn number_of(jpeg: &[u8]) -> Option<u32> {
    segments(jpeg)
        .take_while(|segment| segment.marker != SOS)
        .filter(|segment| segment.marker == COM)
        .find_map(|comment| {
            let text = str::from_utf8(&jpeg[comment.payload]).ok()?;
            text.strip_prefix("n=")?.parse().ok()
        })
        .or_else(|| table_number(jpeg))
}

/// Inserts, right after SOI, an Exif segment (APP1) that holds the whole `thumbnail`, SOI to EOI.
///
/// # Panics
///
/// If `jpeg` does not start with SOI, or `thumbnail` is too long for a segment (more than 65 459
/// bytes).
#[must_use]
pub fn with_thumbnail(jpeg: &[u8], thumbnail: &[u8]) -> Bytes {
    let length = u32::try_from(thumbnail.len()).expect("a thumbnail fits into a segment");
    let mut exif = b"Exif\0\0".to_vec();
    // Little endian, first directory at 8.
    exif.extend_from_slice(b"II*\0\x08\0\0\0");
    // The main image's directory: orientation (0x0112) upright; the next directory is at 26.
    exif.extend_from_slice(b"\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\x1a\0\0\0");
    // The thumbnail's directory: compression (0x0103) JPEG, offset (0x0201), length (0x0202); no
    // further directory.
    exif.extend_from_slice(b"\x03\0\x03\x01\x03\0\x01\0\0\0\x06\0\0\0\x01\x02\x04\0\x01\0\0\0");
    exif.extend_from_slice(&THUMBNAIL_OFFSET.to_le_bytes());
    exif.extend_from_slice(b"\x02\x02\x04\0\x01\0\0\0");
    exif.extend_from_slice(&length.to_le_bytes());
    exif.extend_from_slice(&[0; 4]);
    exif.extend_from_slice(thumbnail);
    with_segment(jpeg, APP1, &exif)
}

/// Inserts a segment right after SOI: `FF`, `marker`, two length bytes, `payload`.
///
/// # Panics
///
/// If `jpeg` does not start with SOI, or `payload` is longer than 65 533 bytes.
#[must_use]
pub fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Bytes {
    assert!(
        jpeg.starts_with(&[0xff, SOI]),
        "a JPEG starts with FF D8, this does not"
    );
    insert(jpeg, 2, marker, payload)
}

/// Removes every Huffman table segment (DHT), as cameras do that rely on the standard tables.
#[must_use]
pub fn without_dht(jpeg: &[u8]) -> Bytes {
    let mut kept = Vec::with_capacity(jpeg.len());
    let mut from = 0;
    for table in segments(jpeg).filter(|segment| segment.marker == DHT) {
        kept.extend_from_slice(&jpeg[from..table.whole.start]);
        from = table.whole.end;
    }
    kept.extend_from_slice(&jpeg[from..]);
    kept.into()
}

fn noise(number: u32, min_bytes: usize, set_up: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Bytes {
    let mut pixels = min_bytes.saturating_sub(HEADER_BYTES) * 100 / NOISE_BYTES_PER_100_PIXELS;
    loop {
        let (width, height) = four_by_three(pixels);
        let mut noise = vec![0; usize::from(width) * usize::from(height) * 3];
        fastrand::Rng::with_seed(u64::from(number)).fill(&mut noise);
        let jpeg = encode(number, width, height, &noise, &set_up);
        if jpeg.len() >= min_bytes {
            return jpeg;
        }
        pixels += pixels / 20 + 64;
    }
}

/// A flat colour derived from `number`, with a little grain so that the scan has some length.
fn tinted(number: u32, width: u16, height: u16) -> Vec<u8> {
    // Multiplying by an odd constant spreads neighbours over the whole range, and keeps them
    // distinct.
    let colour = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
    let mut pixels = vec![0; usize::from(width) * usize::from(height) * 3];
    fastrand::Rng::with_seed(u64::from(number)).fill(&mut pixels);
    for pixel in pixels.chunks_exact_mut(3) {
        for (sample, base) in pixel.iter_mut().zip(colour) {
            *sample = 32 + base / 2 + *sample % 32;
        }
    }
    pixels
}

fn encode(
    number: u32,
    width: u16,
    height: u16,
    rgb: &[u8],
    set_up: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Bytes {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    set_up(&mut encoder);
    encoder
        .encode(rgb, width, height, ColorType::Rgb)
        .expect("an image with no side of 0 can be encoded into memory");
    // JFIF requires its own segment to be the first.
    let app0 = segments(&jpeg)
        .find(|segment| segment.marker == APP0)
        .expect("the encoder writes a JFIF segment");
    insert(&jpeg, app0.whole.end, COM, format!("n={number}").as_bytes())
}

fn insert(jpeg: &[u8], at: usize, marker: u8, payload: &[u8]) -> Bytes {
    let length =
        u16::try_from(payload.len() + 2).expect("a segment's payload has at most 65533 bytes");
    let mut longer = Vec::with_capacity(jpeg.len() + payload.len() + 4);
    longer.extend_from_slice(&jpeg[..at]);
    longer.extend_from_slice(&[0xff, marker]);
    longer.extend_from_slice(&length.to_be_bytes());
    longer.extend_from_slice(payload);
    longer.extend_from_slice(&jpeg[at..]);
    longer.into()
}

/// Sides of an image with at least `pixels` pixels, about 4:3, in whole blocks, at least 16 x 16.
fn four_by_three(pixels: usize) -> (u16, u16) {
    let width = (pixels * 4 / 3).isqrt().next_multiple_of(16).max(16);
    let height = pixels.div_ceil(width).next_multiple_of(16).max(16);
    let side = |side| u16::try_from(side).expect("a JPEG has at most 65535 pixels a side");
    (side(width), side(height))
}

/// What stands before a number in a table: no encoder makes such a table.
const TABLE_MARK: [u8; 8] = [201, 17, 201, 18, 201, 19, 201, 20];
const WIDTH: u16 = 64;
const HEIGHT: u16 = 48;
const QUALITY: u8 = 85;
/// Where a thumbnail starts, counted from the byte order mark, as in TIFF.
const THUMBNAIL_OFFSET: u32 = 68;
/// About how many bytes precede the scan.
const HEADER_BYTES: usize = 640;
/// Bytes of scan that noise gives at [`QUALITY`], measured. Where it gives a little less, the next
/// attempt is long enough.
const NOISE_BYTES_PER_100_PIXELS: usize = 83;

//! Encodes a small picture as baseline JPEG.

use bytes::Bytes;

use crate::{
    jpeg::marker::EOI,
    small::{
        dct::{self, Block, Quantizer},
        headers::Headers,
        huffman::{self, BitWriter, Codes},
        picture::{Colours, Plane, SmallPicture},
    },
};

impl SmallPicture {
    /// Encodes the picture as a baseline JPEG, with the typical tables (T.81 annex K) at quality
    /// 35. Colours keep their resolution where it is the same as, or half of, the brightness's.
    /// If the frame says that it is to be shown turned or mirrored (Exif), so does the result.
    ///
    /// A [`SmallEncoder`] does the same in slices.
    pub fn encode(&self) -> Bytes {
        let mut encoder = SmallEncoder::new(self);
        loop {
            if let Some(jpeg) = encoder.step(usize::MAX) {
                return jpeg;
            }
        }
    }
}

/// Encodes a small picture like [`SmallPicture::encode`], in slices: for a task that must let
/// others have their turn in between.
#[derive(Debug)]
pub struct SmallEncoder<'p> {
    components: Vec<PlaneEncoder<'p>>,
    writer: BitWriter,
    /// The size in MCUs, and the next one.
    columns: usize,
    rows: usize,
    column: usize,
    row: usize,
    is_done: bool,
}

#[derive(Debug)]
struct PlaneEncoder<'p> {
    plane: &'p Plane,
    /// The size that its sampling factors give it; the plane is stretched to it.
    width: usize,
    height: usize,
    /// Its sampling factors.
    h: usize,
    v: usize,
    quantizer: &'static Quantizer,
    codes: &'static Codes,
    /// The last DC coefficient.
    dc: i16,
}

impl<'p> SmallEncoder<'p> {
    /// Begins to encode a picture.
    pub fn new(picture: &'p SmallPicture) -> Self {
        let ratio = ratio(picture);
        let (h, v) = (usize::from(ratio.0), usize::from(ratio.1));
        let size @ (width, height): (usize, usize) =
            (picture.width().into(), picture.height().into());
        let is_rgb = picture.colours == Colours::Rgb;
        let components = picture.planes.iter().enumerate();
        let components = components.map(|(place, plane)| match place {
            1.. if !is_rgb => {
                PlaneEncoder::chrominance(plane, (width.div_ceil(h), height.div_ceil(v)))
            }
            _ => PlaneEncoder::luminance(plane, size, (h, v)),
        });
        let headers = Headers {
            width: picture.width(),
            height: picture.height(),
            colours: picture.colours,
            orientation: picture.orientation,
            ratio,
        };
        let mut writer = BitWriter::default();
        writer.bytes = headers.bytes();
        writer.bytes.reserve(width * height / 2);
        Self {
            components: components.collect(),
            writer,
            columns: width.div_ceil(8 * h),
            rows: height.div_ceil(8 * v),
            column: 0,
            row: 0,
            is_done: false,
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the JPEG, once. It does not depend on the slices.
    pub fn step(&mut self, work: usize) -> Option<Bytes> {
        let blocks: usize = self.components.iter().map(|c| c.h * c.v).sum();
        let mcus = (work / (blocks * BLOCK_NANOS)).max(1);
        for _ in 0..mcus {
            if self.row == self.rows {
                return self.finish();
            }
            for component in &mut self.components {
                component.encode(&mut self.writer, self.column, self.row);
            }
            self.column += 1;
            if self.column == self.columns {
                (self.column, self.row) = (0, self.row + 1);
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Bytes> {
        if std::mem::replace(&mut self.is_done, true) {
            return None;
        }
        self.writer.finish();
        let mut bytes = std::mem::take(&mut self.writer.bytes);
        bytes.extend([0xFF, EOI]);
        bytes.shrink_to_fit();
        Some(bytes.into())
    }
}

impl<'p> PlaneEncoder<'p> {
    fn luminance(
        plane: &'p Plane,
        (width, height): (usize, usize),
        (h, v): (usize, usize),
    ) -> Self {
        Self {
            plane,
            width,
            height,
            h,
            v,
            quantizer: &dct::LUMINANCE,
            codes: &huffman::LUMINANCE,
            dc: 0,
        }
    }

    fn chrominance(plane: &'p Plane, size: (usize, usize)) -> Self {
        Self {
            quantizer: &dct::CHROMINANCE,
            codes: &huffman::CHROMINANCE,
            ..Self::luminance(plane, size, (1, 1))
        }
    }

    /// Encodes its blocks of an MCU.
    fn encode(&mut self, writer: &mut BitWriter, column: usize, row: usize) {
        for y in 0..self.v {
            for x in 0..self.h {
                let mut block = self.block(8 * (column * self.h + x), 8 * (row * self.v + y));
                dct::transform(&mut block);
                let block = self.quantizer.quantize(&block);
                writer.put_block(self.codes, &block, self.dc);
                self.dc = block[0];
            }
        }
    }

    /// Returns the block at this place. Beyond the picture, the last samples are repeated.
    fn block(&self, left: usize, top: usize) -> Block {
        let (width, samples) = (self.plane.width(), self.plane.samples());
        let height = self.plane.height();
        let mut block = [0.0; 64];
        let is_inside = left + 8 <= width && (self.width, self.height) == (width, height);
        for (y, row) in block.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let from = scale(top + y, self.height, height) * width;
            let source = samples.get(from..from + width).unwrap_or_default();
            if is_inside && let Some(samples) = source.get(left..left + 8) {
                for (value, &sample) in row.iter_mut().zip(samples) {
                    *value = f32::from(sample) - 128.0;
                }
                continue;
            }
            for (x, value) in row.iter_mut().enumerate() {
                let sample = source.get(scale(left + x, self.width, width));
                *value = f32::from(sample.copied().unwrap_or(128)) - 128.0;
            }
        }
        block
    }
}

/// Returns where a sample is in a plane of `length` that is stretched to `stretched`.
fn scale(at: usize, stretched: usize, length: usize) -> usize {
    let at = at.min(stretched - 1);
    match stretched == length {
        true => at,
        false => at * length / stretched,
    }
}

/// Returns how many samples of brightness share one of colour: as many as in the frame, if that is
/// what every decoder reads.
fn ratio(picture: &SmallPicture) -> (u8, u8) {
    let [y, cb, cr] = &picture.planes[..] else {
        return (1, 1);
    };
    let size = (picture.width().into(), picture.height().into());
    let is_full = (y.width(), y.height()) == size;
    let same = (cb.width(), cb.height()) == (cr.width(), cr.height());
    if picture.colours != Colours::YCbCr || !is_full || !same {
        return (1, 1);
    }
    let ratio = |full: usize, part: usize| match part {
        _ if part == full => Some(1),
        _ if part == full.div_ceil(2) => Some(2),
        _ => None,
    };
    let across = ratio(size.0, cb.width());
    across.zip(ratio(size.1, cb.height())).unwrap_or((1, 1))
}

/// What a block takes (measured).
const BLOCK_NANOS: usize = 300;

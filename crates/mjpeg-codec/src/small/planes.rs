//! The planes of DC coefficients, as a walk over a frame fills them.

use crate::{
    entropy::{
        damage::{Damage, Flaw},
        picture::Picture,
        sink::{CodeSink, ScanLayout},
    },
    jpeg::marker,
    repair::Orientation,
    small::{
        error::NoSmallPicture,
        picture::{Colours, MOST_SAMPLES, Plane, SmallPicture},
    },
};

/// Collects the DC coefficients of a frame as samples.
#[derive(Debug, Default)]
pub(super) struct DcPlanes {
    /// The quantization of the DC coefficient in each table (T.81 B.2.4.1: Q0).
    quantization: [Option<u16>; 4],
    has_jfif: bool,
    /// The colour transform that an Adobe segment states.
    adobe_transform: Option<u8>,
    has_rgb_ids: bool,
    width: u16,
    height: u16,
    planes: Vec<FilledPlane>,
    /// Where the components of the current scan begin in `planes`.
    first: usize,
    /// The MCUs in a row of the current scan, and how many of this row are done.
    mcu_columns: u32,
    mcu_column: u32,
}

/// The plane of a component, with room for whole MCUs.
#[derive(Debug)]
struct FilledPlane {
    /// In the frame header.
    place: usize,
    columns: usize,
    rows: usize,
    /// What lies between two rows.
    stride: usize,
    samples: Vec<u8>,
    /// The last DC coefficient (T.81 F.1.1.5.1: PRED).
    prediction: i32,
    /// A coefficient becomes a sample by this factor, this addition, and a division by 8.
    factor: i64,
    addition: i64,
    /// Where the current MCU begins, and the current row of MCUs.
    at: usize,
    row_at: usize,
    /// From one MCU to the next, and from one row of MCUs to the next.
    mcu_step: usize,
    row_step: usize,
    /// Where each block of an MCU is, from its beginning.
    offsets: [usize; MOST_BLOCKS],
}

impl DcPlanes {
    /// Returns the picture, once all components were read.
    pub(super) fn finish(mut self, orientation: Orientation) -> SmallPicture {
        self.planes.sort_by_key(|plane| plane.place);
        let is_rgb = match (self.has_jfif, self.adobe_transform) {
            // What libjpeg assumes, and with it the browsers.
            (true, _) => false,
            (false, Some(transform)) => transform == 0,
            (false, None) => self.has_rgb_ids,
        };
        let colours = match self.planes.len() {
            3 if is_rgb => Colours::Rgb,
            3 => Colours::YCbCr,
            _ => Colours::Grey,
        };
        let planes = self.planes.into_iter().map(FilledPlane::finish).collect();
        SmallPicture::new((self.width, self.height), colours, orientation, planes)
    }

    /// Reads a DQT segment (T.81 B.2.4.1).
    fn quantization(&mut self, mut payload: &[u8]) {
        while let Some((&selector, rest)) = payload.split_first() {
            let (bytes, first) = match (selector >> 4, rest) {
                (0, [first, ..]) => (64, u16::from(*first)),
                (1, [high, low, ..]) => (128, u16::from_be_bytes([*high, *low])),
                _ => return,
            };
            if let Some(slot) = self.quantization.get_mut(usize::from(selector & 15)) {
                *slot = Some(first);
            }
            payload = rest.get(bytes..).unwrap_or_default();
        }
    }

    fn current(&mut self) -> &mut [FilledPlane] {
        self.planes.get_mut(self.first..).unwrap_or_default()
    }
}

impl CodeSink for DcPlanes {
    const DC_ONLY: bool = true;

    type Stop = NoSmallPicture;

    fn segment(&mut self, code: u8, payload: &[u8]) -> Result<(), NoSmallPicture> {
        match code {
            marker::DQT => self.quantization(payload),
            marker::APP0 => self.has_jfif |= payload.starts_with(b"JFIF\0"),
            // "Adobe", a version, two fields of flags, the transform.
            marker::APP14 if payload.starts_with(b"Adobe") => {
                self.adobe_transform = payload.get(11).copied().or(self.adobe_transform);
            }
            _ => {}
        }
        Ok(())
    }

    fn picture(&mut self, picture: &Picture, payload: &[u8]) -> Result<(), NoSmallPicture> {
        if let Some(&precision) = payload.first()
            && precision != 8
        {
            return Err(NoSmallPicture::Precision(precision));
        }
        let components = picture.components();
        if !matches!(components.len(), 1 | 3) {
            return Err(NoSmallPicture::Components(components.len() as u8));
        }
        let (width, height) = picture.size();
        let (width, height) = (width.div_ceil(8), height.div_ceil(8));
        if width * height > MOST_SAMPLES {
            return Err(NoSmallPicture::TooLarge);
        }
        (self.width, self.height) = (width as u16, height as u16);
        self.has_rgb_ids = components.iter().map(|c| c.id).eq(*b"RGB");
        Ok(())
    }

    fn begin_scan(&mut self, scan: &ScanLayout<'_>) -> Result<(), NoSmallPicture> {
        self.first = self.planes.len();
        let is_alone = scan.places.len() == 1;
        let (mut mcu_columns, mut mcu_rows) = scan.picture.size_in_mcus();
        let mut bits = 0;
        for &place in scan.places {
            let component = &scan.picture.components()[place];
            let (columns, rows) = scan.picture.size_in_blocks(component);
            let (mut h, mut v) = (component.h as usize, component.v as usize);
            if is_alone {
                (h, v, mcu_columns, mcu_rows) = (1, 1, columns, rows);
            }
            let stride = mcu_columns as usize * h;
            let length = stride * mcu_rows as usize * v;
            // Each block takes one bit at least.
            bits += length;
            if bits > 8 * scan.length {
                return Err(NoSmallPicture::Damaged(Damage {
                    flaw: Flaw::Truncated,
                    offset: scan.offset,
                    mcus: 0,
                    expected_mcus: mcu_columns * mcu_rows,
                }));
            }
            let table = self.quantization.get(usize::from(component.table));
            let Some(&Some(quantization)) = table else {
                return Err(Damage::header(scan.offset).into());
            };
            let factor = i64::from(quantization) << scan.shift;
            // What the missing bits are on average.
            let missing = (factor - i64::from(quantization)) / 2;
            let offset = |block| block / h * stride + block % h;
            self.planes.push(FilledPlane {
                place,
                columns: columns as usize,
                rows: rows as usize,
                stride,
                samples: vec![0; length],
                prediction: 0,
                factor,
                addition: missing + 128 * 8 + 4,
                at: 0,
                row_at: 0,
                mcu_step: h,
                row_step: stride * v,
                offsets: std::array::from_fn(offset),
            });
        }
        (self.mcu_columns, self.mcu_column) = (mcu_columns, 0);
        Ok(())
    }

    #[inline(always)]
    fn dc(&mut self, part: usize, block: u32, difference: i32) {
        let Some(plane) = self.planes.get_mut(self.first + part) else {
            return;
        };
        plane.prediction = plane.prediction.wrapping_add(difference);
        // Decoders keep coefficients in 16 bits.
        let coefficient = i64::from(plane.prediction as i16);
        let sample = (coefficient * plane.factor + plane.addition) >> 3;
        let at = plane.at + plane.offsets[block as usize % MOST_BLOCKS];
        if let Some(place) = plane.samples.get_mut(at) {
            *place = sample.clamp(0, 255) as u8;
        }
    }

    #[inline(always)]
    fn end_mcu(&mut self) {
        self.mcu_column += 1;
        let ends_row = self.mcu_column == self.mcu_columns;
        if ends_row {
            self.mcu_column = 0;
        }
        for plane in self.current() {
            plane.at += plane.mcu_step;
            if ends_row {
                plane.row_at += plane.row_step;
                plane.at = plane.row_at;
            }
        }
    }

    fn restart(&mut self) {
        for plane in self.current() {
            plane.prediction = 0;
        }
    }
}

impl FilledPlane {
    /// Cuts off what whole MCUs have beyond the picture.
    fn finish(mut self) -> Plane {
        if self.stride != self.columns {
            for row in 1..self.rows {
                let from = row * self.stride;
                let row_in_plane = from..from + self.columns;
                self.samples.copy_within(row_in_plane, row * self.columns);
            }
        }
        self.samples.truncate(self.columns * self.rows);
        Plane::new(self.columns, self.samples)
    }
}

/// The most blocks of a component in an MCU: 4 by 4.
const MOST_BLOCKS: usize = 16;

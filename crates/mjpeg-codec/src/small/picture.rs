//! A small picture.

use std::fmt;

use crate::repair::Orientation;

/// A picture at an eighth of a frame's size: one sample per block of 8 by 8.
#[derive(Clone, PartialEq, Eq)]
pub struct SmallPicture {
    width: u16,
    height: u16,
    pub(super) colours: Colours,
    /// What the frame says.
    pub(super) orientation: Orientation,
    /// One, or three; those of colours may be smaller.
    pub(super) planes: Vec<Plane>,
}

/// What the planes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    YCbCr,
    Rgb,
}

/// The samples of one component, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Plane {
    width: usize,
    samples: Vec<u8>,
}

impl SmallPicture {
    pub(super) fn new(
        (width, height): (u16, u16),
        colours: Colours,
        orientation: Orientation,
        planes: Vec<Plane>,
    ) -> Self {
        Self {
            width,
            height,
            colours,
            orientation,
            planes,
        }
    }

    /// Returns the width in samples: an eighth of the frame's, rounded up.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Returns the height in samples: an eighth of the frame's, rounded up.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Returns the brightness. Of an RGB picture it is the green, which contributes most to it.
    pub fn luma(&self) -> &Plane {
        let place = usize::from(self.colours == Colours::Rgb);
        &self.planes[place]
    }

    /// Returns how many bytes of memory the samples take.
    pub fn memory_bytes(&self) -> usize {
        self.planes.iter().map(|plane| plane.samples.len()).sum()
    }
}

impl Plane {
    /// Creates a plane of rows of this width, which is not 0.
    pub(super) fn new(width: usize, samples: Vec<u8>) -> Self {
        Self { width, samples }
    }

    /// Returns the samples in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.samples.len() / self.width
    }

    /// Returns all samples, row by row.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Returns the mean of the samples, from 0 to 255.
    pub fn mean(&self) -> f64 {
        let sum: u64 = self.samples.iter().map(|&sample| u64::from(sample)).sum();
        sum as f64 / self.samples.len().max(1) as f64
    }
}

impl fmt::Debug for SmallPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height, colours) = (self.width, self.height, self.colours);
        write!(f, "SmallPicture {{ {width}x{height}, {colours:?} }}")
    }
}

impl fmt::Debug for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plane {{ {}x{} }}", self.width, self.height())
    }
}

/// The most samples per component of a small picture: enough for 8192 by 8192 pixels.
pub const MOST_SAMPLES: u32 = 1 << 20;

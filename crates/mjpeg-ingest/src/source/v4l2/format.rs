//! Formats of pictures: which there are, in which sizes, at which rates.

use super::{
    about::{V4l2Format, V4l2Size},
    device::{Device, VIDEO_CAPTURE, text},
    ioctl::{self, Argument, Fraction, FrameIntervals, FrameSizes},
};

/// A code of four characters, as V4L2 names formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FourCc(pub(super) u32);

impl FourCc {
    /// JPEG images, one per buffer, in which the tables of Motion-JPEG may be missing.
    pub(super) const MJPG: Self = Self(u32::from_le_bytes(*b"MJPG"));
    /// The same, as some drivers name it.
    pub(super) const JPEG: Self = Self(u32::from_le_bytes(*b"JPEG"));

    /// Whether its pictures are JPEG images.
    pub(super) fn is_jpeg(self) -> bool {
        self == Self::MJPG || self == Self::JPEG
    }

    /// Writes it for people.
    pub(super) fn shown(self) -> String {
        let bytes = self.0.to_le_bytes();
        let shown = |b: u8| match b {
            b' '..=b'~' => char::from(b),
            // A flag (big-endian) is in the highest bit.
            _ => '?',
        };
        bytes.map(shown).iter().collect::<String>().trim().into()
    }
}

/// The formats of a device.
pub(super) fn formats(device: &Device) -> Vec<(FourCc, String)> {
    let described = (0..MOST_FORMATS).map_while(|index| {
        let mut asked = ioctl::FormatDescription::zeroed();
        (asked.index, asked.kind) = (index, VIDEO_CAPTURE);
        device.try_ask(&ioctl::ENUM_FMT, &mut asked).ok()?;
        Some((FourCc(asked.pixel_format), text(&asked.description)))
    });
    described.collect()
}

/// The formats of a device with their sizes and rates, as far as there is an end to them.
pub(super) fn described(device: &Device) -> Vec<V4l2Format> {
    let mut left = MOST_RATES;
    let formats = formats(device).into_iter();
    let described = formats.map(|(code, description)| V4l2Format {
        code: code.shown(),
        description,
        is_jpeg: code.is_jpeg(),
        sizes: sizes(device, code, &mut left),
    });
    described.collect()
}

fn sizes(device: &Device, code: FourCc, left: &mut usize) -> Vec<V4l2Size> {
    let mut found = Vec::new();
    for index in 0..MOST_SIZES {
        let mut asked = FrameSizes::zeroed();
        (asked.index, asked.pixel_format) = (index, code.0);
        if *left == 0 || device.try_ask(&ioctl::ENUM_FRAMESIZES, &mut asked).is_err() {
            break;
        }
        *left -= 1;
        // Steps go from the least width to the greatest, and from the least height likewise.
        let [least_width, second, _, least_height, most_height, _] = asked.sizes;
        let (least, most) = match asked.kind {
            DISCRETE => ((least_width, second), None),
            _ => ((least_width, least_height), Some((second, most_height))),
        };
        found.push(V4l2Size {
            width: least.0,
            height: least.1,
            up_to: most,
            rates: rates(device, code, least, left),
        });
        if most.is_some() {
            break;
        }
    }
    found
}

fn rates(device: &Device, code: FourCc, size: (u32, u32), left: &mut usize) -> Vec<f64> {
    let mut found = Vec::new();
    for index in 0..MOST_INTERVALS {
        let mut asked = FrameIntervals::zeroed();
        (asked.index, asked.pixel_format) = (index, code.0);
        (asked.width, asked.height) = size;
        let request = &ioctl::ENUM_FRAMEINTERVALS;
        if *left == 0 || device.try_ask(request, &mut asked).is_err() {
            break;
        }
        *left -= 1;
        let [first, last, _] = asked.intervals;
        found.extend(rate(first));
        if asked.kind != DISCRETE {
            found.extend(rate(last));
            break;
        }
    }
    found
}

/// The rate, in frames per second, of an interval.
pub(super) fn rate(interval: Fraction) -> Option<f64> {
    let rate = f64::from(interval.denominator) / f64::from(interval.numerator);
    rate.is_normal().then_some(rate)
}

/// The interval of a rate.
pub(super) fn interval(fps: f64) -> Fraction {
    // Exact for rates such as 30, 7.5 and 0.1.
    let (numerator, scaled) = match fps.fract() == 0.0 {
        true => (1, fps),
        false => (1000, fps * 1000.0),
    };
    Fraction {
        numerator,
        denominator: scaled.round() as u32,
    }
}

/// The kind of a size or an interval that stands for itself (`V4L2_FRMSIZE_TYPE_DISCRETE`).
const DISCRETE: u32 = 1;

/// More than any camera has; a faulty driver may have no end of them.
const MOST_FORMATS: u32 = 64;
const MOST_SIZES: u32 = 128;
const MOST_INTERVALS: u32 = 64;

/// The most intervals of all sizes and formats of a device.
const MOST_RATES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::{super::about::shown_rate, *};

    #[test]
    fn rates_and_intervals_are_those_of_one_another() {
        for (fps, numerator, denominator) in [(30.0, 1, 30), (7.5, 1000, 7500), (0.1, 1000, 100)] {
            let made = interval(fps);
            assert_eq!((made.numerator, made.denominator), (numerator, denominator));
            assert_eq!(rate(made), Some(fps));
        }
        let ntsc = Fraction {
            numerator: 1001,
            denominator: 30_000,
        };
        assert_eq!(rate(ntsc).map(shown_rate).as_deref(), Some("29.97"));
        assert_eq!(shown_rate(30.0), "30");
        let never = Fraction {
            numerator: 0,
            denominator: 0,
        };
        assert_eq!(rate(never), None);
    }

    #[test]
    fn codes_are_shown_without_what_steers_a_terminal() {
        assert_eq!(FourCc::MJPG.shown(), "MJPG");
        assert_eq!(FourCc(u32::from_le_bytes(*b"Y16 ")).shown(), "Y16");
        assert_eq!(FourCc(u32::from_le_bytes(*b"\x1b[2J")).shown(), "?[2J");
    }
}

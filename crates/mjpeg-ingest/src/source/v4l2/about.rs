//! What is known of a camera of this machine.

use std::{fmt, path::PathBuf};

use crate::text::escaped;

/// A camera of this machine that V4L2 knows, and what it offers. (Feature `v4l2`, Linux.)
///
/// ```no_run
/// use mjpeg_ingest::V4l2Device;
///
/// // May take seconds: not on a thread that serves anybody.
/// for camera in V4l2Device::all() {
///     println!("{camera}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct V4l2Device {
    /// Its path, such as `/dev/video0`. Which camera has which number may change with each start
    /// and each replug.
    pub path: PathBuf,
    /// Its path below `/dev/v4l/by-id`, by maker, model and serial number, if it has one: that does
    /// not change.
    pub stable_path: Option<PathBuf>,
    /// What it calls itself.
    pub card: String,
    /// The kernel's driver.
    pub driver: String,
    /// Where it is connected.
    pub bus: String,
    /// The formats of its pictures.
    pub formats: Vec<V4l2Format>,
    /// What can be set.
    pub controls: Vec<V4l2Control>,
}

/// A format of pictures.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct V4l2Format {
    /// Its code of four characters, such as `MJPG`.
    pub code: String,
    /// What the driver calls it.
    pub description: String,
    /// Whether its pictures are JPEG images, which is what a source `v4l2://` reads.
    pub is_jpeg: bool,
    /// The sizes of its pictures.
    pub sizes: Vec<V4l2Size>,
}

/// A size of pictures, or a range of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct V4l2Size {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The greatest width and height, if all between are possible as well.
    pub up_to: Option<(u32, u32)>,
    /// The frames per second that the driver offers: the greatest and the least, if all between are
    /// possible as well.
    pub rates: Vec<f64>,
}

/// What can be set of a camera, to a number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct V4l2Control {
    /// Its name as an option of the source, such as `brightness`.
    pub name: String,
    /// The least value.
    pub minimum: i32,
    /// The greatest value.
    pub maximum: i32,
    /// From value to value.
    pub step: i32,
    /// The value that it has when the camera is plugged in.
    pub default: i32,
    /// The value that it has now, if the driver tells.
    pub value: Option<i32>,
    /// Whether it has an effect at present. A camera that sets its exposure by itself has no use
    /// for an exposure time.
    pub is_active: bool,
}

/// Lists it in one line, without its controls.
impl fmt::Display for V4l2Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, card) = (self.path.display().to_string(), &self.card);
        write!(f, "{} ({})", escaped(&path), escaped(card))?;
        if let Some(stable) = &self.stable_path {
            write!(f, ", also {}", escaped(&stable.display().to_string()))?;
        }
        for format in &self.formats {
            write!(f, "; {}", format.code)?;
            for (nth, size) in format.sizes.iter().enumerate() {
                write!(f, "{}{size}", if nth == 0 { " " } else { ", " })?;
            }
        }
        Ok(())
    }
}

/// Writes the size, and the rates if there are any: `1280x720 at 30, 15 fps`.
impl fmt::Display for V4l2Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)?;
        if let Some((width, height)) = self.up_to {
            write!(f, " to {width}x{height}")?;
        }
        let rates: Vec<_> = self.rates.iter().map(|&fps| shown_rate(fps)).collect();
        match rates.is_empty() {
            true => Ok(()),
            false => write!(f, " at {} fps", rates.join(", ")),
        }
    }
}

/// Writes a rate for people.
pub(super) fn shown_rate(fps: f64) -> String {
    let text = format!("{fps:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

//! The settings of a camera.

use std::path::{Component, Path, PathBuf};

use crate::source::{invalid::InvalidSource, rate, url::path_text};

/// A camera of this machine, such as a USB webcam; see [`Source::v4l2`](crate::Source::v4l2).
/// (Feature `v4l2`, Linux.)
///
/// ```
/// use mjpeg_ingest::{Source, V4l2Camera};
///
/// let camera = V4l2Camera::new("/dev/video0")?.with_size(1280, 720)?.with_fps(30.0)?;
/// let source = Source::v4l2(camera.with_control("brightness", 128)?);
/// let text = "v4l2:///dev/video0?size=1280x720&fps=30&brightness=128";
/// assert_eq!(source.to_string(), text);
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct V4l2Camera {
    path: PathBuf,
    size: Option<(u16, u16)>,
    fps: Option<f64>,
    input: Option<u32>,
    controls: Vec<(String, i32)>,
}

impl V4l2Camera {
    /// Makes a camera of the device of this path, which is below `/dev`: `/dev/video0`, or better a
    /// link below `/dev/v4l/by-id`, which leads to the same camera after each replug.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadDevice`] for another path. Whether there is such a device is not looked
    /// at: it may be plugged in later.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, InvalidSource> {
        let path = path.into();
        let is_device = path.strip_prefix("/dev").is_ok_and(|below| {
            let mut parts = below.components();
            parts.clone().next().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
        });
        if !is_device {
            return Err(InvalidSource::BadDevice(path.display().to_string()));
        }
        Ok(Self {
            path,
            size: None,
            fps: None,
            input: None,
            controls: Vec::new(),
        })
    }

    /// Sets the wanted width and height in pixels, 1 to 65535 each. The driver chooses the nearest
    /// that the camera has. Default: the size that the camera is set to.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a side of 0.
    pub fn with_size(mut self, width: u16, height: u16) -> Result<Self, InvalidSource> {
        if width == 0 || height == 0 {
            return Err(InvalidSource::BadOption(format!("size={width}x{height}")));
        }
        self.size = Some((width, height));
        Ok(self)
    }

    /// Sets the wanted rate in frames per second, 0.001 to 1000. The driver chooses the nearest
    /// that the camera has at its size. Default: the rate that the camera is set to.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a rate out of bounds.
    pub fn with_fps(mut self, fps: f64) -> Result<Self, InvalidSource> {
        self.fps = Some(rate::checked(fps, &rate::PLAYED)?);
        Ok(self)
    }

    /// Sets the input of a capture card, counted from 0. Default: the one that the card is set to.
    pub fn with_input(mut self, input: u32) -> Self {
        self.input = Some(input);
        self
    }

    /// Sets a control of the camera, such as `brightness`, to a number. It may be called for each
    /// of 64 controls; they are set in this order before the capture begins, and again after each
    /// replug. What is set stays set when the source is no longer read.
    ///
    /// The name is the one that `v4l2-ctl` shows: lower case, with underscores.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for what cannot be a name, for `size`, `fps`, `input` and
    /// `list`, which are other options of the URL, and for too many controls.
    pub fn with_control(mut self, name: &str, value: i32) -> Result<Self, InvalidSource> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let is_name = (1..=MOST_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_plain);
        let is_other = ["size", "fps", "input", "list"].contains(&name);
        if !is_name || is_other || self.controls.len() >= MOST_CONTROLS {
            return Err(InvalidSource::BadOption(format!("{name}={value}")));
        }
        self.controls.push((name.into(), value));
        Ok(self)
    }

    /// The path of the device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The wanted width and height in pixels.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size
    }

    /// The wanted rate in frames per second.
    pub fn fps(&self) -> Option<f64> {
        self.fps
    }

    /// The input of a capture card.
    pub fn input(&self) -> Option<u32> {
        self.input
    }

    /// The controls to be set, in their order.
    pub fn controls(&self) -> &[(String, i32)] {
        &self.controls
    }

    /// Writes the camera as a URL.
    pub(in crate::source) fn text(&self) -> String {
        let mut options = Vec::new();
        if let Some((width, height)) = self.size {
            options.push(format!("size={width}x{height}"));
        }
        options.extend(self.fps.map(|fps| format!("fps={fps}")));
        options.extend(self.input.map(|input| format!("input={input}")));
        let controls = self.controls.iter();
        options.extend(controls.map(|(name, value)| format!("{name}={value}")));
        let query = match options.is_empty() {
            true => String::new(),
            false => format!("?{}", options.join("&")),
        };
        format!("v4l2://{}{query}", path_text(&self.path))
    }
}

/// V4L2 has no longer ones.
const MOST_NAME_BYTES: usize = 32;

/// More than a camera has.
const MOST_CONTROLS: usize = 64;

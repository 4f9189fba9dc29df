//! An open V4L2 device, and the requests that only ask.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        linux::fs::MetadataExt,
        unix::fs::{FileTypeExt, OpenOptionsExt},
    },
    path::Path,
};

use super::ioctl::{self, Argument, DeviceRequest, call};
use crate::error::{ConnectError, v4l2::V4l2Error};

/// A device from which pictures can be captured.
#[derive(Debug)]
pub(super) struct Device {
    file: File,
    /// Its path, as the user wrote it.
    pub(super) path: String,
    /// What it calls itself.
    pub(super) card: String,
    pub(super) driver: String,
    pub(super) bus: String,
}

impl Device {
    /// Opens the device of this path, if it is one that captures pictures. May take seconds.
    ///
    /// Other kinds of device are not even opened: that has effects on some.
    pub(super) fn open(path: &Path) -> Result<Self, ConnectError> {
        let shown = path.display().to_string();
        let cannot_open = |source| V4l2Error::Open {
            path: path.display().to_string(),
            source,
        };
        let metadata = fs::metadata(path).map_err(cannot_open)?;
        let is_video = libc::major(metadata.st_rdev()) == VIDEO_MAJOR;
        if !(metadata.file_type().is_char_device() && is_video) {
            return Err(V4l2Error::NotVideo { path: shown }.into());
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true);
        let file = options.custom_flags(libc::O_NONBLOCK).open(path);
        let mut device = Self {
            file: file.map_err(cannot_open)?,
            path: shown,
            card: String::new(),
            driver: String::new(),
            bus: String::new(),
        };
        let mut about = ioctl::Capability::zeroed();
        device.ask(&ioctl::QUERYCAP, &mut about)?;
        device.card = text(&about.card);
        device.driver = text(&about.driver);
        device.bus = text(&about.bus_info);
        let can = match about.capabilities & CAP_DEVICE_CAPS {
            0 => about.capabilities,
            _ => about.device_caps,
        };
        if can & CAP_VIDEO_CAPTURE == 0 || can & CAP_STREAMING == 0 {
            let is_multiplanar = can & CAP_VIDEO_CAPTURE_MPLANE != 0;
            let (path, card) = (device.path, device.card);
            return Err(match is_multiplanar {
                true => V4l2Error::Multiplanar { path, card },
                false => V4l2Error::NoCapture { path, card },
            }
            .into());
        }
        Ok(device)
    }

    /// Makes a request. The error names it.
    pub(super) fn ask<T: Argument>(
        &self,
        request: &DeviceRequest<T>,
        argument: &mut T,
    ) -> Result<(), ConnectError> {
        let asked = self.try_ask(request, argument);
        asked.map_err(|source| refused(&self.path, request.name, source))
    }

    /// Makes a request that may be refused.
    pub(super) fn try_ask<T: Argument>(
        &self,
        request: &DeviceRequest<T>,
        argument: &mut T,
    ) -> io::Result<()> {
        call(self.file.as_fd(), request, argument)
    }

    /// The open file.
    pub(super) fn into_file(self) -> File {
        self.file
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Says why a request of a device failed.
pub(super) fn refused(path: &str, request: &'static str, source: io::Error) -> ConnectError {
    let path = path.to_owned();
    let error = match source.raw_os_error() {
        Some(libc::EBUSY) => V4l2Error::Busy { path },
        Some(libc::ENODEV) => V4l2Error::Unplugged { path },
        _ => V4l2Error::Request {
            path,
            request,
            source,
        },
    };
    error.into()
}

/// Reads a text of the kernel: up to its first 0.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}

/// The number that the kernel gives all its video devices ("Linux allocated devices").
const VIDEO_MAJOR: u32 = 81;

const CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
const CAP_VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
const CAP_STREAMING: u32 = 0x0400_0000;
const CAP_DEVICE_CAPS: u32 = 0x8000_0000;

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`: pictures in one plane.
pub(super) const VIDEO_CAPTURE: u32 = 1;

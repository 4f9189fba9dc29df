//! The start of a capture: format, rate, controls, buffers.

use std::time::Duration;

use super::{
    about::shown_rate,
    buffers,
    camera::V4l2Camera,
    controls,
    device::{Device, VIDEO_CAPTURE},
    format::{self, FourCc},
    ioctl::{self, Argument, Mapping},
};
use crate::error::{ConnectError, v4l2::V4l2Error};

/// A capture that runs.
#[derive(Debug)]
pub(super) struct StartedCapture {
    pub(super) device: Device,
    pub(super) buffers: Vec<Mapping>,
    /// What the driver chose, and what of it is not as wanted, for people.
    pub(super) chosen: String,
    /// The time from picture to picture, if the driver knows it.
    pub(super) interval: Option<Duration>,
}

/// Opens the device and starts to capture. May take seconds.
pub(super) fn start(camera: &V4l2Camera) -> Result<StartedCapture, ConnectError> {
    let device = Device::open(camera.path())?;
    if let Some(mut input) = camera.input() {
        device.ask(&ioctl::S_INPUT, &mut input)?;
    }
    let wanted = controls::wanted(&device, camera.controls())?;
    let pixels = set_format(&device, camera)?;
    let fps = set_rate(&device, camera.fps());
    controls::set(&device, &wanted)?;
    let buffers = buffers::mapped(&device)?;
    let mut kind = VIDEO_CAPTURE;
    device.ask(&ioctl::STREAMON, &mut kind)?;
    Ok(StartedCapture {
        chosen: chosen(&device, &pixels, fps, camera),
        interval: fps.map(|fps| Duration::from_secs_f64(1.0 / fps)),
        device,
        buffers,
    })
}

/// Sets a format of JPEG images. The driver chooses the size that is nearest to the wanted one.
fn set_format(device: &Device, camera: &V4l2Camera) -> Result<ioctl::PixelFormat, ConnectError> {
    let offered = format::formats(device);
    let mut codes = offered.iter().map(|(code, _)| *code);
    let code = codes.find(|code| code.is_jpeg());
    let mut asked = ioctl::FormatArgument::zeroed();
    asked.kind = VIDEO_CAPTURE;
    device.ask(&ioctl::G_FMT, &mut asked)?;
    if let Some((width, height)) = camera.size() {
        (asked.pixels.width, asked.pixels.height) = (width.into(), height.into());
    }
    let (width, height) = (asked.pixels.width, asked.pixels.height);
    asked.pixels = ioctl::PixelFormat::zeroed();
    (asked.pixels.width, asked.pixels.height) = (width, height);
    asked.pixels.pixel_format = code.unwrap_or(FourCc::MJPG).0;
    // A driver that lists none may have one all the same.
    if code.is_some() || offered.is_empty() {
        device.ask(&ioctl::S_FMT, &mut asked)?;
    }
    if FourCc(asked.pixels.pixel_format).is_jpeg() && (code.is_some() || offered.is_empty()) {
        return Ok(asked.pixels);
    }
    let offered: Vec<_> = offered.iter().map(|(code, _)| code.shown()).collect();
    let offered = match offered.is_empty() {
        true => "what it does not tell".into(),
        false => offered.join(", "),
    };
    let (path, card) = (device.path.clone(), device.card.clone());
    Err(V4l2Error::NoJpeg {
        path,
        card,
        offered,
    }
    .into())
}

/// Sets the rate, if one is wanted and it can be set. Returns the one that holds, if it is known.
fn set_rate(device: &Device, wanted: Option<f64>) -> Option<f64> {
    let mut asked = ioctl::StreamParameters::zeroed();
    asked.kind = VIDEO_CAPTURE;
    device.try_ask(&ioctl::G_PARM, &mut asked).ok()?;
    if let Some(fps) = wanted
        && asked.capability & CAP_TIME_PER_FRAME != 0
    {
        asked.time_per_frame = format::interval(fps);
        // Without effect if the driver refuses it: the present one holds.
        let _ = device.try_ask(&ioctl::S_PARM, &mut asked);
        device.try_ask(&ioctl::G_PARM, &mut asked).ok()?;
    }
    let known = format::rate(asked.time_per_frame);
    // A driver may say anything.
    known.filter(|fps| (0.001..=1000.0).contains(fps))
}

/// Says what the driver chose, and what was wanted where that is something else.
fn chosen(
    device: &Device,
    pixels: &ioctl::PixelFormat,
    fps: Option<f64>,
    camera: &V4l2Camera,
) -> String {
    let code = FourCc(pixels.pixel_format).shown();
    let (width, height) = (pixels.width, pixels.height);
    let (path, card) = (&device.path, &device.card);
    let mut text = format!("{path} ({card}), {code} {width}x{height}");
    if let Some(fps) = fps {
        text += &format!(" at {} fps", shown_rate(fps));
    }
    let size = camera.size().map(|(w, h)| (u32::from(w), u32::from(h)));
    let size = size.filter(|&size| size != (width, height));
    let rate = camera
        .fps()
        .filter(|wanted| fps.is_none_or(|fps| (fps - wanted).abs() > wanted * RATE_TOLERANCE));
    let wanted = [
        size.map(|(width, height)| format!("{width}x{height}")),
        rate.map(|fps| format!("{} fps", shown_rate(fps))),
    ];
    let wanted: Vec<_> = wanted.into_iter().flatten().collect();
    if !wanted.is_empty() {
        text += &format!("; the driver does not give {}", wanted.join(" at "));
    }
    text
}

/// `V4L2_CAP_TIMEPERFRAME`.
const CAP_TIME_PER_FRAME: u32 = 0x1000;

/// How much another rate may differ and still be the same to people, as 29.97 is 30.
const RATE_TOLERANCE: f64 = 0.01;

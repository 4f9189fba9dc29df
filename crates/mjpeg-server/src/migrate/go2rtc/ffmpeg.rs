//! Sources that go2rtc lets ffmpeg read: `ffmpeg:INPUT#video=…#…`.

use super::judged::JudgedSource;
use crate::migrate::{
    found::ForeignSource,
    sources::{self, IF_MJPG, SourceVerdict, rate, size, through_ffmpeg},
    uvc::{Webcam, turn},
};

/// What follows the input.
#[derive(Default)]
struct FfmpegParams {
    is_mjpeg: bool,
    rotate: u16,
    width: Option<u16>,
    height: Option<u16>,
    others: Vec<String>,
}

/// The streams that an input may name.
pub(super) trait KnownSources {
    /// The sources of a stream.
    fn of(&self, name: &str) -> &[Result<String, String>];

    /// Judges a source, which may be another stream: `depth` counts how often it was.
    fn judge(&self, text: &str, depth: usize) -> JudgedSource;
}

/// Judges what follows `ffmpeg:`.
pub(super) fn judge(streams: &impl KnownSources, text: &str, depth: usize) -> JudgedSource {
    let (input, params) = text.split_once('#').unwrap_or((text, ""));
    let params = read_params(params);
    let mut judged = if let Some(device_text) = input.strip_prefix("device?") {
        device(device_text, params.is_mjpeg)
    } else if input.starts_with("virtual?") {
        let note = "go2rtc's test picture: this is the relay's own";
        JudgedSource {
            notes: vec![note.into()],
            ..SourceVerdict::relayed("test:").into()
        }
    } else if input.contains("://") {
        camera(input, &params)
    } else if input.starts_with('/') {
        file(input, &params)
    } else {
        stream(streams, input, &params, depth)
    };
    if let SourceVerdict::Relayed(ForeignSource::Url(_))
    | SourceVerdict::Perhaps(ForeignSource::Url(_), _) = judged.verdict
    {
        judged.rotate = (judged.rotate + params.rotate) % 360;
        if params.width.is_some() || params.height.is_some() {
            judged
                .notes
                .push("#width, #height: the relay passes on pictures as they are".into());
        }
    }
    for name in params.others {
        judged
            .notes
            .push(format!("#{name}: nothing here is the same"));
    }
    judged
}

fn read_params(text: &str) -> FfmpegParams {
    let mut params = FfmpegParams::default();
    for param in text.split('#').filter(|param| !param.is_empty()) {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        let side = || value.parse::<u16>().ok().filter(|side| *side > 0);
        match name {
            "video" if value == "mjpeg" => params.is_mjpeg = true,
            "video" | "audio" | "hardware" | "async" | "timeout" => {}
            "rotate" => params.rotate = turn(value).unwrap_or_default(),
            "width" => params.width = side(),
            "height" => params.height = side(),
            _ => params.others.push(name.into()),
        }
    }
    params
}

/// Lets ffmpeg convert, as go2rtc does. What it turns is turned in the picture.
fn converted(input: &str, before: &[&str], params: &FfmpegParams) -> ForeignSource {
    let mut filters = Vec::new();
    match params.rotate {
        90 => filters.push("transpose=1".into()),
        180 => filters.push("transpose=1,transpose=1".into()),
        270 => filters.push("transpose=2".into()),
        _ => {}
    }
    if params.width.is_some() || params.height.is_some() {
        let side = |side: Option<u16>| side.map_or("-1".into(), |side| side.to_string());
        filters.push(format!(
            "scale={}:{}",
            side(params.width),
            side(params.height)
        ));
    }
    through_ffmpeg(input, before, &filters)
}

fn camera(input: &str, params: &FfmpegParams) -> JudgedSource {
    let is_rtsp = input.starts_with("rtsp");
    match sources::network(input) {
        // It sends M-JPEG itself, so nothing need be converted.
        SourceVerdict::Relayed(source) => {
            let note = "the camera is read without ffmpeg";
            JudgedSource {
                notes: vec![note.into()],
                ..SourceVerdict::Relayed(source).into()
            }
        }
        _ if params.is_mjpeg => {
            let before: &[&str] = if is_rtsp {
                &["-rtsp_transport", "tcp"]
            } else {
                &[]
            };
            JudgedSource {
                notes: vec![BUSY.into()],
                ..SourceVerdict::Relayed(converted(input, before, params)).into()
            }
        }
        other => other.into(),
    }
}

fn file(path: &str, params: &FfmpegParams) -> JudgedSource {
    if !params.is_mjpeg {
        let why = "it is a file, and go2rtc does not convert it to M-JPEG (#video=mjpeg)";
        return SourceVerdict::lost(why).into();
    }
    let before = ["-re", "-stream_loop", "-1"];
    SourceVerdict::Relayed(converted(path, &before, params)).into()
}

/// Another stream as the input. Streams may refer to one another in a circle.
fn stream(
    streams: &impl KnownSources,
    name: &str,
    params: &FfmpegParams,
    depth: usize,
) -> JudgedSource {
    let inputs = streams.of(name).iter().flatten();
    // A stream often has itself as an input, for another codec.
    let input = inputs.into_iter().find(|input| !is_of(input, name));
    let Some(input) = input.filter(|_| depth < MOST_DEPTH) else {
        return SourceVerdict::lost(format!(
            "ffmpeg reads {name}, which is no stream with a source"
        ))
        .into();
    };
    let url = input.split('#').next().unwrap_or_default();
    if url.contains("://") && !url.starts_with("ffmpeg:") && !url.starts_with("exec:") {
        return camera(url, params);
    }
    streams.judge(input, depth + 1)
}

fn is_of(input: &str, name: &str) -> bool {
    let inner = input
        .strip_prefix("ffmpeg:")
        .and_then(|rest| rest.split('#').next());
    inner == Some(name)
}

/// Judges a device with options as ffmpeg has them.
pub(super) fn device(text: &str, is_mjpeg: bool) -> JudgedSource {
    let mut webcam = Webcam::default();
    let (mut format, mut notes) = (None, Vec::new());
    let text = text.split('#').next().unwrap_or_default();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "video" => webcam.device = Some(value.into()),
            "input_format" => format = Some(value),
            "video_size" | "resolution" => webcam.size = size(value),
            "framerate" => webcam.fps = rate(value),
            "" => {}
            _ => notes.push(format!("{name}: nothing here is the same")),
        }
    }
    let path = webcam.device.clone().unwrap_or_default();
    let url = match sources::device(&path, &webcam.options()) {
        Ok(url) => url,
        Err(why) => return SourceVerdict::lost(why).into(),
    };
    let verdict = match format {
        Some("mjpeg") => SourceVerdict::relayed(&url),
        Some(raw) if is_mjpeg => SourceVerdict::Relayed(raw_device(&path, raw, &webcam)),
        _ => SourceVerdict::perhaps(&url, IF_MJPG),
    };
    JudgedSource {
        notes,
        ..verdict.into()
    }
}

/// Lets ffmpeg compress the pictures of a device.
fn raw_device(path: &str, format: &str, webcam: &Webcam) -> ForeignSource {
    let size = webcam
        .size
        .as_deref()
        .and_then(|size| size.strip_prefix("size="));
    let fps = webcam.fps.map(|fps| fps.to_string());
    let mut before = vec!["-f", "v4l2", "-input_format", format];
    if let Some(size) = size {
        before.extend(["-video_size", size]);
    }
    if let Some(fps) = &fps {
        before.extend(["-framerate", fps]);
    }
    through_ffmpeg(path, &before, &[])
}

const BUSY: &str =
    "ffmpeg converts the pictures, as go2rtc lets it; that keeps about one core busy";

/// How often a stream may lead to another.
const MOST_DEPTH: usize = 4;

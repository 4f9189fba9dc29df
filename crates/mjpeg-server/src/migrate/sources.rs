//! What a URL of another program is to us.

use super::found::ForeignSource;

/// Whether a camera can be relayed.
pub(super) enum SourceVerdict {
    Relayed(ForeignSource),
    /// Only if this holds, which the configuration does not tell.
    Perhaps(ForeignSource, String),
    /// Not, and why.
    Lost(String),
}

impl SourceVerdict {
    pub(super) fn lost(why: impl Into<String>) -> Self {
        Self::Lost(why.into())
    }

    pub(super) fn perhaps(url: &str, condition: impl Into<String>) -> Self {
        Self::Perhaps(ForeignSource::Url(url.into()), condition.into())
    }

    pub(super) fn relayed(url: &str) -> Self {
        Self::Relayed(ForeignSource::Url(url.into()))
    }
}

/// What a URL suggests about the pictures behind it.
#[derive(Clone, Copy, PartialEq)]
enum Codec {
    Jpeg,
    Other(&'static str),
    Unknown,
}

/// Judges the URL of a camera in the network, without options behind `#`.
pub(super) fn network(url: &str) -> SourceVerdict {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match (&*scheme.to_ascii_lowercase(), codec(url)) {
        ("http" | "https", Codec::Other(codec)) => SourceVerdict::lost(format!(
            "its URL says {codec}, and the relay reads only JPEG pictures. {CONVERT}"
        )),
        ("http" | "https", Codec::Jpeg) => SourceVerdict::relayed(url),
        ("http" | "https", Codec::Unknown) => SourceVerdict::perhaps(
            url,
            "if it sends JPEG pictures: a multipart stream, or single pictures",
        ),
        ("tcp", Codec::Unknown | Codec::Jpeg) => {
            SourceVerdict::perhaps(url, "if it sends JPEG pictures one after another")
        }
        ("rtsp" | "rtsps", Codec::Jpeg) => SourceVerdict::relayed(url),
        ("rtsp" | "rtsps", Codec::Unknown) => SourceVerdict::perhaps(
            url,
            "if the camera sends M-JPEG there; most send H.264 (docs/rtsp.md)",
        ),
        ("rtsp" | "rtsps", Codec::Other(codec)) => SourceVerdict::lost(format!(
            "its URL says {codec}, and by RTSP the relay reads only M-JPEG. Set one of the camera's \
             streams to M-JPEG. {CONVERT}"
        )),
        ("rtmp" | "rtmps" | "srt" | "udp" | "rtp", _) => {
            SourceVerdict::lost(format!("the relay does not speak {scheme}. {CONVERT}"))
        }
        ("rtspx", _) => SourceVerdict::lost(
            "rtspx: is go2rtc's own. Use rtsps:// with #insecure, if the camera sends M-JPEG",
        ),
        ("", _) => SourceVerdict::lost("it is no URL"),
        _ => SourceVerdict::lost(format!(
            "the relay has no source \"{scheme}:\"; see the list in README.md"
        )),
    }
}

/// Judges a program that writes to its standard output.
pub(super) fn program(words: Vec<String>) -> SourceVerdict {
    let text = words.join(" ").to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if words.is_empty() {
        SourceVerdict::lost("it names no program")
    } else if says(&["mjpeg", "mjpg"]) {
        SourceVerdict::Relayed(ForeignSource::Command(words))
    } else if says(&[
        "h264", "h265", "hevc", "x264", "x265", "mpegts", "-f flv", "yuv4mpeg", "wav", "adts",
        "s16le", "alaw", "mulaw",
    ]) {
        SourceVerdict::lost(
            "its program writes no JPEG pictures. Let it write them: with ffmpeg, -c:v mjpeg -f mjpeg \
             instead of its codec and format",
        )
    } else {
        SourceVerdict::Perhaps(
            ForeignSource::Command(words),
            "if the program writes JPEG pictures to its standard output".into(),
        )
    }
}

/// Lets ffmpeg read an input and write JPEG pictures.
pub(super) fn through_ffmpeg(input: &str, before: &[&str], filters: &[String]) -> ForeignSource {
    let mut words: Vec<String> = ["ffmpeg", "-loglevel", "error"].map(Into::into).into();
    words.extend(before.iter().map(|word| (*word).into()));
    words.extend(["-i".into(), input.into()]);
    if !filters.is_empty() {
        words.extend(["-vf".into(), filters.join(",")]);
    }
    let end = ["-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", "-"];
    words.extend(end.map(Into::into));
    ForeignSource::Command(words)
}

/// The URL of a camera of this machine. `options` are already `name=value`.
pub(super) fn device(path: &str, options: &[String]) -> Result<String, String> {
    if path.starts_with('$') {
        return Err(format!(
            "its device is in the variable {path}, which this file does not set"
        ));
    }
    if !path.starts_with("/dev/") {
        return Err("its device is not below /dev".into());
    }
    // What a URL would read as something else.
    let encoded = path
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    let query = match options.is_empty() {
        true => String::new(),
        false => format!("?{}", options.join("&")),
    };
    Ok(format!("v4l2://{encoded}{query}"))
}

/// A size as WIDTHxHEIGHT. `None` if it is none.
pub(super) fn size(text: &str) -> Option<String> {
    let (width, height) = text.split_once(['x', 'X'])?;
    let side = |text: &str| text.trim().parse::<u16>().ok().filter(|side| *side > 0);
    Some(format!("size={}x{}", side(width)?, side(height)?))
}

/// A rate of at least one picture per second. `None` if it is none.
pub(super) fn rate(text: &str) -> Option<u16> {
    text.trim()
        .parse()
        .ok()
        .filter(|fps| (1..=1000).contains(fps))
}

/// What becomes of a device whose format is not said.
pub(super) const IF_MJPG: &str =
    "if the camera has the format MJPG or JPEG: `mjpeg-server devices` tells (docs/v4l2.md)";

fn codec(url: &str) -> Codec {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    // A host may be called anything.
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    let path = path.to_ascii_lowercase();
    let file = path.split('?').next().unwrap_or_default();
    let says = |parts: &[&str]| parts.iter().any(|part| path.contains(part));
    let others = [
        ("h264", "H.264"),
        ("h.264", "H.264"),
        ("h265", "H.265"),
        ("h.265", "H.265"),
        ("hevc", "H.265"),
        ("mpeg4", "MPEG-4"),
        ("/flv?", "FLV"),
    ];
    let endings = [
        (".m3u8", "HLS"),
        (".flv", "FLV"),
        (".mp4", "MP4"),
        (".ts", "MPEG-TS"),
        (".mpd", "DASH"),
        (".264", "H.264"),
        (".265", "H.265"),
    ];
    if says(&["mjpeg", "mjpg", "jpg", "jpeg", "snapshot", "action=stream"]) {
        return Codec::Jpeg;
    }
    let other = others.iter().find(|(part, _)| path.contains(part));
    let ending = endings.iter().find(|(end, _)| file.ends_with(end));
    match other.or(ending) {
        Some((_, codec)) => Codec::Other(codec),
        None => Codec::Unknown,
    }
}

/// What to do about a camera that sends no JPEG pictures.
const CONVERT: &str = "A program can convert, for about one core: \
     source = \"exec:ffmpeg -loglevel error -i URL -c:v mjpeg -q:v 4 -f mjpeg -\"";

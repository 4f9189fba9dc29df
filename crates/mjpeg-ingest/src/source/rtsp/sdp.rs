//! The description of a session (SDP, RFC 8866), as far as M-JPEG needs it.

/// What a camera offers.
#[derive(Debug, Default)]
pub(super) struct Description {
    /// Where the session as a whole is controlled.
    pub(super) control: Option<String>,
    media: Vec<Media>,
}

/// One medium of a session.
#[derive(Debug, Default)]
pub(super) struct Media {
    /// `video`, `audio` and so on.
    kind: String,
    /// Payload types.
    formats: Vec<u8>,
    /// Payload types, with the name and clock rate of each.
    names: Vec<(u8, String, Option<u32>)>,
    pub(super) control: Option<String>,
    /// In pixels, as `a=x-dimensions` or `a=framesize` states it.
    pub(super) size: Option<(u16, u16)>,
    /// Per second.
    pub(super) frame_rate: Option<f64>,
}

/// The packets of a medium that are JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JpegFormat {
    pub(super) payload_type: u8,
    /// The ticks of their timestamps per second.
    pub(super) clock_rate: u32,
}

impl Description {
    /// Reads what is understood, and passes over the rest.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut description = Self::default();
        for line in text.lines() {
            match line.split_once('=') {
                Some(("m", media)) if description.media.len() < MOST_MEDIA => {
                    description.media.extend(Media::parse(media));
                }
                Some(("a", attribute)) => {
                    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
                    match description.media.last_mut() {
                        Some(media) => media.add(name.trim(), value.trim()),
                        None if name == "control" => {
                            description.control = Some(value.trim().into());
                        }
                        None => {}
                    }
                }
                _ => {}
            }
        }
        description
    }

    /// The first video of M-JPEG.
    pub(super) fn jpeg(&self) -> Option<(&Media, JpegFormat)> {
        let videos = self.media.iter().filter(|media| media.kind == "video");
        videos
            .filter_map(|media| Some((media, media.jpeg()?)))
            .next()
    }

    /// Names what is offered, for people.
    pub(super) fn offers(&self) -> String {
        let offers = self.media.iter().map(|media| {
            let name = media.names.first().map(|(_, name, _)| &name[..]);
            let name = name.unwrap_or("unknown").to_ascii_uppercase();
            format!("{} ({})", shown(&name), shown(&media.kind))
        });
        let offers: Vec<_> = offers.take(MOST_SHOWN).collect();
        match offers.is_empty() {
            true => "nothing".into(),
            false => offers.join(", "),
        }
    }
}

impl Media {
    /// Reads `video 0 RTP/AVP 26 96`.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let kind = words.next()?.to_ascii_lowercase();
        let formats = words.skip(2).filter_map(|word| word.parse().ok());
        Some(Self {
            kind,
            formats: formats.take(MOST_FORMATS).collect(),
            ..Self::default()
        })
    }

    fn add(&mut self, name: &str, value: &str) {
        match name {
            "control" => self.control = Some(value.into()),
            "rtpmap" if self.names.len() < MOST_FORMATS => self.names.extend(rtpmap(value)),
            "x-dimensions" => self.size = self.size.or_else(|| size(value, ',')),
            "framesize" => {
                let size = value
                    .split_once(' ')
                    .and_then(|(_, value)| size(value, '-'));
                self.size = self.size.or(size);
            }
            "framerate" => self.frame_rate = value.parse().ok(),
            _ => {}
        }
    }

    fn jpeg(&self) -> Option<JpegFormat> {
        self.formats.iter().find_map(|&payload_type| {
            let named = self.names.iter().find(|(known, ..)| *known == payload_type);
            let (is_jpeg, clock_rate) = match named {
                Some((_, name, clock_rate)) => (name.eq_ignore_ascii_case("jpeg"), *clock_rate),
                None => (payload_type == STATIC_JPEG, None),
            };
            is_jpeg.then(|| JpegFormat {
                payload_type,
                clock_rate: clock_rate.unwrap_or(CLOCK_RATE),
            })
        })
    }
}

/// Reads `26 JPEG/90000`.
fn rtpmap(value: &str) -> Option<(u8, String, Option<u32>)> {
    let (format, name) = value.split_once(char::is_whitespace)?;
    let mut parts = name.trim().split('/');
    let name = parts.next()?.to_owned();
    let clock_rate = parts.next().and_then(|rate| rate.parse().ok());
    Some((
        format.parse().ok()?,
        name,
        clock_rate.filter(|&rate| rate > 0),
    ))
}

fn size(value: &str, separator: char) -> Option<(u16, u16)> {
    let (width, height) = value.split_once(separator)?;
    let side = |text: &str| text.trim().parse().ok().filter(|&side: &u16| side > 0);
    Some((side(width)?, side(height)?))
}

/// The address of a control attribute (RFC 2326 appendix C.1.1). `None` if it cannot be sent.
pub(super) fn control_url(base: &str, control: Option<&str>) -> Option<String> {
    let url = match control.unwrap_or("*") {
        "*" | "" => base.to_owned(),
        whole if starts_with_scheme(whole) => whole.to_owned(),
        path if path.starts_with('/') => {
            let host = base
                .match_indices('/')
                .nth(2)
                .map_or(base.len(), |(at, _)| at);
            format!("{}{path}", &base[..host])
        }
        // Not as a reference is resolved: cameras expect it behind the whole path.
        relative => {
            let slash = if base.ends_with('/') { "" } else { "/" };
            format!("{base}{slash}{relative}")
        }
    };
    let is_sendable = url.bytes().all(|b| (b'!'..=b'~').contains(&b));
    (is_sendable && url.len() <= MAX_URL_BYTES).then_some(url)
}

pub(super) fn starts_with_scheme(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        ["rtsp", "rtsps"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    })
}

/// Prepares a word of the camera to be shown.
fn shown(word: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-.+".contains(*c);
    word.chars().filter(is_plain).take(16).collect()
}

/// RFC 3551 table 5.
const STATIC_JPEG: u8 = 26;
const CLOCK_RATE: u32 = 90_000;

const MOST_MEDIA: usize = 16;
const MOST_FORMATS: usize = 16;
const MOST_SHOWN: usize = 4;
const MAX_URL_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload type, a clock rate, a size.
    type Found = (u8, u32, Option<(u16, u16)>);

    fn media(lines: &str) -> Option<Found> {
        let description = Description::parse(lines.as_bytes());
        let (media, format) = description.jpeg()?;
        Some((format.payload_type, format.clock_rate, media.size))
    }

    #[test]
    fn mjpeg_is_found_among_other_media_and_formats() {
        for (lines, found) in [
            ("m=video 0 RTP/AVP 26", Some((26, 90_000, None))),
            (
                "m=audio 0 RTP/AVP 0\r\na=x-dimensions:1,1\r\nm=video 0 RTP/AVP 26\r\n\
                 a=rtpmap:26 JPEG/90000\r\na=x-dimensions: 2560, 1440",
                Some((26, 90_000, Some((2560, 1440)))),
            ),
            (
                "m=video 0 RTP/AVP 96\na=rtpmap:96 jpeg/48000\na=framesize:96 640-480",
                Some((96, 48_000, Some((640, 480)))),
            ),
            (
                "m=video 0 RTP/AVP 96 97\na=rtpmap:96 H264/90000\na=rtpmap:97 JPEG/0",
                Some((97, 90_000, None)),
            ),
            ("m=video 0 RTP/AVP 26\na=rtpmap:26 H264/90000", None),
            ("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000", None),
            ("m=application 0 RTP/AVP 26", None),
            (
                "m=video 0 RTP/AVP 26\na=x-dimensions:0,99999",
                Some((26, 90_000, None)),
            ),
            ("m=\nm=video\n=\na\na=:", None),
            ("", None),
        ] {
            assert_eq!(media(lines), found, "{lines}");
        }
    }

    #[test]
    fn what_is_offered_steers_no_terminal() {
        let lines = "m=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\nm=au\u{1b}[2Jdio 0 RTP/AVP 0";
        let description = Description::parse(lines.as_bytes());
        assert_eq!(description.offers(), "H264 (video), UNKNOWN (au2jdio)");
        assert_eq!(Description::default().offers(), "nothing");
    }

    #[test]
    fn control_is_relative_to_the_whole_base() {
        let base = "rtsp://cam/live/1";
        for (control, url) in [
            (None, Some(base)),
            (Some("*"), Some(base)),
            (Some("track1"), Some("rtsp://cam/live/1/track1")),
            (Some("/other"), Some("rtsp://cam/other")),
            (Some("RTSP://10.0.0.1/a"), Some("RTSP://10.0.0.1/a")),
            (Some("rtsps://10.0.0.1/a"), Some("rtsps://10.0.0.1/a")),
            (Some("a b"), None),
            (Some("a\r\nX: y"), None),
        ] {
            assert_eq!(control_url(base, control).as_deref(), url, "{control:?}");
        }
        let long = "a".repeat(MAX_URL_BYTES);
        assert_eq!(control_url(base, Some(&long)), None);
        assert_eq!(
            control_url("rtsp://cam/live/", Some("track1")).as_deref(),
            Some("rtsp://cam/live/track1")
        );
        assert_eq!(
            control_url("rtsp://cam", Some("/a")).as_deref(),
            Some("rtsp://cam/a")
        );
    }
}

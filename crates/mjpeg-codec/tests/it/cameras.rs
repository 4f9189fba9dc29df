//! One test per fixture in `tests/data`: the streams of real cameras and servers, and of some with
//! a known mistake. `tests/data/README.md` describes the format of a fixture.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason::{self, *},
    SplitterConfig,
    multipart::ParserConfig,
};
use mjpeg_testkit::jpeg;

use crate::check::{Discarded, Expected, Part, Told, check_parts, frames_in, outcome, parts};

#[test]
fn mjpg_streamer() {
    let told = [
        JPEG.at(1_700_000_000, 1_234),
        JPEG.at(1_700_000_000, 34_567),
    ];
    clean("mjpg_streamer_stream.http", &told);
}

#[test]
fn ustreamer() {
    let told = [
        JPEG.at(1_700_000_000, 1_234),
        JPEG.at(1_700_000_000, 34_567),
    ];
    clean("ustreamer_stream.http", &told);
}

#[test]
fn ustreamer_extra_headers() {
    let told = [
        JPEG.at(1_700_000_000, 1_234),
        JPEG.at(1_700_000_000, 34_567),
    ];
    clean("ustreamer_extra_headers.http", &told);
}

#[test]
fn ustreamer_advance_headers() {
    let told = [
        JPEG.at(1_700_000_000, 1_234),
        JPEG.at(1_700_000_000, 34_567),
    ];
    clean("ustreamer_advance_headers.http", &told.map(Says::no_length));
}

#[test]
fn camera_streamer() {
    clean("camera_streamer_stream.http", &[JPEG, JPEG]);
}

#[test]
fn go2rtc() {
    clean("go2rtc_stream.http", &[JPEG, JPEG]);
}

#[test]
fn motion_pads_its_lengths() {
    clean("motion_stream.http", &[JPEG, JPEG]);
}

#[test]
fn home_assistant_sends_the_first_picture_twice() {
    let images = [1, 1, 2].map(jpeg::numbered);
    Fixture::read("home_assistant_stream.http").check(&images, &[JPEG, JPEG, JPEG], &[]);
}

#[test]
fn esp32_camera_web_server() {
    let told = [JPEG.at(101, 777), JPEG.at(101, 40_888)];
    clean("esp32_camera_web_server.http", &told);
}

#[test]
fn esp32_whose_first_boundary_is_another_one() {
    let told = [JPEG, JPEG.at(101, 777), JPEG.at(101, 40_888)];
    clean("esp32_first_boundary_differs.http", &told);
}

#[test]
fn esp32_and_tasmota_without_first_boundary() {
    clean("esp32_no_first_boundary.http", &[JPEG, JPEG]);
}

#[test]
fn gst_multipartmux() {
    clean("gst_multipartmux.http", &[JPEG, JPEG]);
}

#[test]
fn ffmpeg_mpjpeg() {
    clean("ffmpeg_mpjpeg.http", &[JPEG, JPEG]);
}

#[test]
fn ffmpeg_with_the_chunk_sizes_left_in() {
    // The line break after a chunk looks like the end of the headers, and the size of a chunk like
    // a body.
    let lost = [
        (Garbage, "a\r\n"),
        (NotJpeg, "640\r\n"),
        (NotJpeg, "640\r\n"),
        (NotJpeg, "0\r\n\r\n"),
    ];
    dirty("ffmpeg_chunks_left_in.http", &[JPEG, JPEG], &lost);
}

#[test]
fn web_video_server() {
    let told = [
        JPEG.at(1_700_000_000, 1_234),
        JPEG.at(1_700_000_000, 34_567),
    ];
    clean("web_video_server_stream.http", &told);
}

#[test]
fn mjpeg_proxy_sorts_headers_and_closes() {
    clean("mjpeg_proxy_stream.http", &[JPEG, JPEG]);
}

#[test]
fn mjpeg_relay_declares_the_boundary_with_its_dashes() {
    clean("mjpeg_relay_stream.http", &[JPEG, JPEG]);
}

#[test]
fn node_mjpeg_proxy() {
    clean("node_mjpeg_proxy_stream.http", &[JPEG, JPEG]);
}

#[test]
fn axis_that_declares_no_boundary() {
    clean("axis_no_boundary_declared.http", &[JPEG, JPEG]);
}

#[test]
fn sony_declares_the_boundary_with_its_dashes() {
    clean("sony_boundary_with_dashes.http", &[JPEG, JPEG]);
}

#[test]
fn text_keepalive_of_mjpeg_server() {
    let lost = [(NotJpeg, "keepalive\r\n"), (NotJpeg, "keepalive\r\n")];
    dirty("mjpeg_server_text_keepalive.http", &[JPEG, JPEG], &lost);
}

#[test]
fn viseron_without_newline_after_the_boundary() {
    // The first header is read as the end of the delimiter.
    let told = [JPEG.no_type(), JPEG.no_type()];
    clean("viseron_no_newline_after_boundary.http", &told);
}

#[test]
fn lf_alone_ends_lines() {
    clean("camera_lf_only.http", &[JPEG, JPEG]);
}

#[test]
fn wrong_lengths() {
    // More than 64 bits, negative, not a number: ignored.
    let none = JPEG.no_length();
    let told = [JPEG.length(5), JPEG.length(99_999), none, none, none];
    clean("camera_wrong_lengths.http", &told);
}

#[test]
fn no_lengths() {
    clean("camera_no_length.http", &[JPEG.no_length(); 2]);
}

#[test]
fn type_with_a_parameter() {
    let told = [JPEG.of_type("image/jpeg;q=1"); 2];
    clean("camera_type_with_parameter.http", &told);
}

#[test]
fn images_in_parts_of_other_types() {
    let types = [
        "image/jpg",
        "IMAGE/JPEG",
        "application/octet-stream",
        "text/plain",
    ];
    let told = types.map(|name| JPEG.of_type(name).no_length());
    clean("camera_other_types.http", &told);
}

#[test]
fn long_lower_case_headers_and_a_closing_boundary() {
    clean("camera_long_headers.http", &[JPEG, JPEG]);
}

#[test]
fn odd_headers() {
    // Blanks around the colon, a folded line, text that is not a header, a second and invalid
    // value, an empty name.
    let told = [JPEG.at(12, 500_000), JPEG];
    clean("camera_odd_headers.http", &told);
}

#[test]
fn no_headers_or_no_blank_line_after_them() {
    let none = JPEG.no_type().no_length();
    let told = [none, none, JPEG.no_length()];
    clean("camera_no_headers.http", &told);
}

#[test]
fn blank_lines_too_many() {
    clean("camera_blank_lines.http", &[JPEG, JPEG]);
}

#[test]
fn empty_parts() {
    clean("camera_empty_part.http", &[JPEG, JPEG, JPEG]);
}

#[test]
fn no_line_break_before_the_boundary() {
    clean("camera_no_line_break_before_boundary.http", &[JPEG; 3]);
}

#[test]
fn boundary_repeated() {
    clean("camera_repeated_boundary.http", &[JPEG, JPEG]);
}

#[test]
fn headers_without_any_boundary() {
    clean("camera_no_boundary.http", &[JPEG.at(7, 250_000), JPEG]);
}

#[test]
fn boundary_with_a_blank_declared_in_quotes() {
    clean("camera_quoted_boundary.http", &[JPEG, JPEG]);
}

#[test]
fn preamble_and_epilogue() {
    let preamble = "This text is for readers that know no multipart.\r\n\r\n";
    let lost = [(Garbage, preamble)];
    dirty("camera_preamble.http", &[JPEG, JPEG], &lost);
}

#[test]
fn error_page_that_looks_like_framing() {
    let page = "<html>\r\n--\r\n-- camera busy --\r\n\r\n--other\r\n</html>\r\n";
    dirty("camera_error_page.http", &[JPEG, JPEG], &[(NotJpeg, page)]);
}

#[test]
fn every_fixture_has_a_test() {
    let tests = include_str!("cameras.rs");
    let mut fixtures = 0;
    for entry in fs::read_dir(data()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".http") {
            assert!(tests.contains(&format!("{name:?}")), "{name}");
            fixtures += 1;
        }
    }
    assert!(fixtures > 30, "{fixtures} fixtures");
}

#[test]
fn tests_that_the_source_names_are_there() {
    let source = include_str!("../../src/multipart.rs");
    let tests = [
        include_str!("cameras.rs"),
        include_str!("parser.rs"),
        include_str!("part_contents.rs"),
    ]
    .concat();
    let list = source.lines().filter(|line| line.starts_with("// "));
    let named = list.flat_map(|line| line.split('`'));
    let mut found = 0;
    for name in named.filter(|name| name.contains('_') && !name.contains([' ', '/'])) {
        assert!(tests.contains(&format!("fn {name}()")), "{name}");
        found += 1;
    }
    assert!(found > 20, "{found} tests");
}

/// Real streams, if there are any beside the checkout. Another tool scores the splitter on them;
/// the parser must find the same frames.
#[test]
fn corpus_gives_the_same_frames_as_from_the_splitter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        println!("skipped: no corpus beside this checkout");
        return;
    }
    let mut streams = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "mjpeg")
        {
            continue;
        }
        let stream = fs::read(&path).unwrap();
        let split = outcome(&SplitterConfig::default(), stream.chunks(64 << 10));
        let parsed = parts(&ParserConfig::default(), stream.chunks(64 << 10));
        assert!(
            frames_in(&parsed) == frames_in(&split),
            "{}",
            path.display()
        );
        streams += 1;
    }
    assert!(streams > 0);
}

/// Checks a stream without losses: its frames come out, and everything else is framing.
#[track_caller]
fn clean(name: &str, told: &[Says]) {
    dirty(name, told, &[]);
}

/// Checks a stream with other text: everything but its frames and that text is framing.
#[track_caller]
fn dirty(name: &str, told: &[Says], lost: &[(DiscardReason, &str)]) {
    let images: Vec<Bytes> = (1..).take(told.len()).map(jpeg::numbered).collect();
    Fixture::read(name).check(&images, told, lost);
}

/// The text of a fixture, cut at its images.
struct Fixture {
    /// The response's head, if the fixture has one.
    head: Option<String>,
    between: Vec<String>,
}

impl Fixture {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(data().join(name)).unwrap();
        let (head, body) = match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/") => (Some(head), body),
            _ => (None, &text[..]),
        };
        Self {
            head: head.map(|head| format!("{head}\r\n\r\n")),
            between: body.split("{image}").map(str::to_owned).collect(),
        }
    }

    /// Fills in the images and parses the body. If there is a head, also parses the whole response.
    #[track_caller]
    fn check(&self, images: &[Bytes], told: &[Says], lost: &[(DiscardReason, &str)]) {
        assert_eq!(
            self.between.len(),
            images.len() + 1,
            "images in the fixture"
        );
        assert_eq!(images.len(), told.len());
        let mut body = Vec::new();
        let mut expected = Vec::new();
        let mut lost = lost.iter().peekable();
        for (i, text) in self.between.iter().enumerate() {
            let length = images.get(i).map_or(0, Bytes::len);
            let text = text
                .replace("{length}", &length.to_string())
                .replace("{length:9}", &format!("{length:9}"));
            body.extend_from_slice(text.as_bytes());
            let mut rest = &text[..];
            while let Some((before, after, reason, len)) =
                lost.peek().and_then(|(reason, piece)| {
                    let (before, after) = rest.split_once(piece)?;
                    Some((before, after, *reason, piece.len()))
                })
            {
                expected.extend(discarded(Framing, before.len()));
                expected.extend(discarded(reason, len));
                rest = after;
                lost.next();
            }
            expected.extend(discarded(Framing, rest.len()));
            if let Some(image) = images.get(i) {
                body.extend_from_slice(image);
                expected.push(Part(image.clone(), told[i].of(image)));
            }
        }
        assert_eq!(lost.next(), None, "not in the fixture");
        check_parts(&body, &expected);
        if let Some(head) = &self.head {
            let response = [head.as_bytes(), &body].concat();
            let of_frames = |outcome: Vec<Expected>| {
                let part = |e: &Expected| matches!(e, Part(..));
                outcome.into_iter().filter(part).collect::<Vec<_>>()
            };
            let whole = parts(&ParserConfig::default(), [&response[..]].into_iter());
            assert_eq!(of_frames(whole), of_frames(expected), "with its head");
        }
    }
}

fn discarded(reason: DiscardReason, len: usize) -> Option<Expected> {
    (len > 0).then_some(Discarded(reason, len))
}

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The headers of a part in a fixture.
#[derive(Clone, Copy)]
struct Says {
    content_type: Option<&'static str>,
    length: Length,
    timestamp: Option<Duration>,
}

#[derive(Clone, Copy)]
enum Length {
    None,
    /// The length of the image itself.
    True,
    Other(u64),
}

/// The headers that most cameras send.
const JPEG: Says = Says {
    content_type: Some("image/jpeg"),
    length: Length::True,
    timestamp: None,
};

impl Says {
    fn at(self, seconds: u64, micros: u32) -> Self {
        let timestamp = Some(Duration::new(seconds, micros * 1000));
        Self { timestamp, ..self }
    }

    fn of_type(self, name: &'static str) -> Self {
        let content_type = Some(name);
        Self {
            content_type,
            ..self
        }
    }

    fn no_type(self) -> Self {
        Self {
            content_type: None,
            ..self
        }
    }

    fn length(self, length: u64) -> Self {
        let length = Length::Other(length);
        Self { length, ..self }
    }

    fn no_length(self) -> Self {
        let length = Length::None;
        Self { length, ..self }
    }

    fn of(self, image: &Bytes) -> Told {
        Told {
            content_type: self.content_type.map(str::to_owned),
            content_length: match self.length {
                Length::None => None,
                Length::True => Some(image.len() as u64),
                Length::Other(length) => Some(length),
            },
            timestamp: self.timestamp,
        }
    }
}

//! The streams of go2rtc, each with one or more sources.

use super::{
    ffmpeg::{self, KnownSources},
    judged::JudgedSource,
};
use crate::migrate::{
    command_line::words,
    found::{ForeignSource, FoundCamera},
    marks::Marks,
    sources::{self, SourceVerdict},
    yaml::YamlNode,
};

/// The streams, with marks for variables.
#[derive(Default)]
pub(in crate::migrate) struct ForeignStreams(Vec<(String, Vec<Result<String, String>>)>);

/// A stream that can be relayed, or perhaps can.
#[derive(Default)]
pub(in crate::migrate) struct Judged {
    pub(in crate::migrate) source: ForeignSource,
    pub(in crate::migrate) fallback: Vec<ForeignSource>,
    pub(in crate::migrate) condition: Option<String>,
    pub(in crate::migrate) rotate: u16,
    pub(in crate::migrate) notes: Vec<String>,
}

impl Judged {
    /// The camera of this name.
    pub(in crate::migrate) fn camera(self, name: &str, place: String) -> FoundCamera {
        let mut keys = Vec::new();
        if self.rotate != 0 {
            keys.push(("rotate", self.rotate.to_string()));
        }
        FoundCamera {
            name: name.into(),
            place,
            source: self.source,
            fallback: self.fallback,
            condition: self.condition,
            keys,
            notes: self.notes,
            ..FoundCamera::default()
        }
    }
}

impl ForeignStreams {
    /// Reads the map of streams. Variables begin with `begin` and end with `}`.
    pub(in crate::migrate) fn read(
        streams: Option<&YamlNode>,
        begin: &str,
        is_known: fn(&str) -> bool,
        marks: &mut Marks,
    ) -> Self {
        let entries = streams.into_iter().flat_map(YamlNode::entries);
        let streams = entries.take(MOST_STREAMS_READ).map(|(name, node)| {
            // A map may have its sources in `url`.
            let sources = node.get("url").unwrap_or(node).items();
            let sources = sources
                .into_iter()
                .filter_map(YamlNode::text)
                .take(MOST_SOURCES);
            let sources = sources.map(|text| match text.len() {
                0..=MOST_SOURCE_BYTES => marks.mark(text.trim(), begin, is_known),
                _ => Err("a source of it is longer than 4 KiB".into()),
            });
            (name.to_owned(), sources.collect())
        });
        Self(streams.collect())
    }

    pub(in crate::migrate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is such a stream.
    pub(in crate::migrate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// Judges a stream.
    ///
    /// # Errors
    ///
    /// If no source of it can be relayed.
    pub(in crate::migrate) fn judge(&self, name: &str) -> Result<Judged, String> {
        let mut judged = Judged::default();
        let mut first: Option<JudgedSource> = None;
        let mut reasons = Vec::new();
        for source in self.of(name) {
            let one = match source {
                Ok(source) => KnownSources::judge(self, source, 0),
                Err(why) => SourceVerdict::lost(why).into(),
            };
            let before = first.as_ref().map(|first| &first.verdict);
            match (&one.verdict, before) {
                (SourceVerdict::Lost(why), _) => {
                    if !reasons.contains(why) {
                        reasons.push(why.clone());
                    }
                }
                (SourceVerdict::Relayed(url), Some(SourceVerdict::Relayed(_))) => {
                    judged.fallback.push(url.clone());
                }
                (SourceVerdict::Relayed(_), Some(_)) | (_, None) => {
                    if before.is_some() {
                        judged.notes.push(OTHER.into());
                    }
                    first = Some(one);
                }
                (SourceVerdict::Perhaps(..), Some(_)) => judged.notes.push(OTHER.into()),
            }
        }
        let Some(first) = first else {
            return Err(match reasons.is_empty() {
                true => "it has no source; a program that sends pictures is `push:` \
                         (docs/push.md)"
                    .into(),
                false => reasons.join("; "),
            });
        };
        for why in reasons {
            judged
                .notes
                .push(format!("another source of it is left out: {why}"));
        }
        judged.notes.dedup();
        judged.notes.extend(first.notes);
        judged.rotate = first.rotate;
        (judged.source, judged.condition) = match first.verdict {
            SourceVerdict::Relayed(source) => (source, None),
            SourceVerdict::Perhaps(source, condition) => (source, Some(condition)),
            SourceVerdict::Lost(why) => return Err(why),
        };
        Ok(judged)
    }
}

impl KnownSources for ForeignStreams {
    fn of(&self, name: &str) -> &[Result<String, String>] {
        let known = self.0.iter().find(|(known, _)| known == name);
        known.map_or(&[], |(_, sources)| sources)
    }

    fn judge(&self, text: &str, depth: usize) -> JudgedSource {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "ffmpeg" => ffmpeg::judge(self, rest, depth),
            "exec" => exec(rest),
            "v4l2" => ffmpeg::device(rest.trim_start_matches("device?"), false),
            _ => network(text),
        }
    }
}

/// Judges a URL. Of its options, only headers mean something here.
fn network(text: &str) -> JudgedSource {
    let mut parts = text.split('#');
    let url = parts.next().unwrap_or_default();
    let mut headers = Vec::new();
    let mut notes = Vec::new();
    for option in parts {
        match option.split_once('=') {
            Some(("header", header)) if url.starts_with("http") => {
                headers.push(format!("header={header}"));
            }
            Some(("backchannel" | "media" | "timeout", _)) => {}
            Some(("transport", _)) => {
                return SourceVerdict::lost("the relay speaks no RTSP within WebSockets").into();
            }
            other => {
                let name = other.map_or(option, |(name, _)| name);
                notes.push(format!("#{name}: nothing here is the same"));
            }
        }
    }
    let with_headers = |source: ForeignSource| match source {
        ForeignSource::Url(url) if !headers.is_empty() => {
            ForeignSource::Url(format!("{url}#{}", headers.join("&")))
        }
        source => source,
    };
    let verdict = match sources::network(url) {
        SourceVerdict::Relayed(source) => SourceVerdict::Relayed(with_headers(source)),
        SourceVerdict::Perhaps(source, why) => SourceVerdict::Perhaps(with_headers(source), why),
        lost @ SourceVerdict::Lost(_) => lost,
    };
    JudgedSource {
        notes,
        ..verdict.into()
    }
}

/// Judges a program.
fn exec(text: &str) -> JudgedSource {
    let (command, options) = text.split_once('#').unwrap_or((text, ""));
    if command.contains("{output}") {
        let why = "its program sends its pictures to go2rtc by RTSP ({output}). Let it write JPEG \
                   pictures to its standard output";
        return SourceVerdict::lost(why).into();
    }
    if options.split('#').any(|option| option == "backchannel=1") {
        return SourceVerdict::lost("it is for sound to the camera").into();
    }
    let mut judged = JudgedSource::from(sources::program(words(command)));
    let options = options.split('#').filter(|option| !option.is_empty());
    let names = options.map(|option| option.split('=').next().unwrap_or_default());
    judged
        .notes
        .extend(names.map(|name| format!("#{name}: nothing here is the same")));
    judged
}

const OTHER: &str = "another source of it may be better, if the camera sends M-JPEG there";

/// The most streams that are looked at.
const MOST_STREAMS_READ: usize = 2000;

/// The most sources of one stream.
const MOST_SOURCES: usize = 16;

/// The longest source.
const MOST_SOURCE_BYTES: usize = 4096;

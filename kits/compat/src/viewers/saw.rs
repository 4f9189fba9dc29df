//! What a viewer saw, read from what it left behind.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use mjpeg_codec::{DiscardReason, Found, multipart::Parser};

use crate::launch::Launch;

/// What a viewer took for pictures, in order, and its complaints.
pub(crate) struct Saw {
    pub(crate) jpegs: Vec<Bytes>,
    pub(crate) complaints: Vec<String>,
}

impl Saw {
    pub(crate) fn jpegs(jpegs: Vec<Bytes>) -> Self {
        let complaints = Vec::new();
        Self { jpegs, complaints }
    }

    /// Cuts off what precedes the SOI, as decoders do: a program that reads the body as bare JPEGs
    /// gets the multipart headers too.
    pub(super) fn begun_at_soi(mut self) -> Self {
        for jpeg in &mut self.jpegs {
            let soi = jpeg.windows(2).position(|two| two == [0xFF, 0xD8]);
            *jpeg = jpeg.slice(soi.unwrap_or_default()..);
        }
        self
    }
}

pub(super) fn files_and_complaints(launch: &Launch) -> Result<Saw> {
    Ok(Saw {
        jpegs: pictures(&launch.folder)?,
        complaints: complaints(&stderr(launch)?),
    })
}

/// What a program wrote to standard error, without what ffmpeg's HTTP reader says at the end of
/// every body that has no length.
pub(crate) fn complaints(stderr: &str) -> Vec<String> {
    let at_the_end = |line: &str| AT_THE_END.iter().any(|end| line.contains(end));
    let said = |line: &&str| !line.is_empty() && !at_the_end(line);
    let lines = stderr.lines().map(str::trim).filter(said);
    lines
        .take(3)
        .map(|line| format!("it says: {line}"))
        .collect()
}

fn stderr(launch: &Launch) -> Result<String> {
    let text = fs::read(launch.folder.join("stderr"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub(super) fn pictures(folder: &Path) -> Result<Vec<Bytes>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jpg"));
    files.sort();
    let bytes = |path| fs::read(path).map(Bytes::from).map_err(Into::into);
    files.iter().map(bytes).collect()
}

/// The packets in ffprobe's output. It prints them as a dump: an offset, 16 bytes as hexadecimal
/// digits, the same as text.
pub(super) fn packets(launch: &Launch) -> Result<Saw> {
    let output: serde_json::Value =
        serde_json::from_slice(&fs::read(launch.folder.join("stdout"))?)?;
    let packets = output["packets"]
        .as_array()
        .context("no packets in its output")?;
    let jpegs: Result<_> = packets
        .iter()
        .map(|packet| {
            let dump = packet["data"].as_str().context("a packet without data")?;
            undump(dump)
        })
        .collect();
    Ok(Saw {
        jpegs: jpegs?,
        complaints: complaints(&stderr(launch)?),
    })
}

fn undump(dump: &str) -> Result<Bytes> {
    let mut bytes = Vec::new();
    for line in dump.lines().filter(|line| !line.is_empty()) {
        let (_, rest) = line
            .split_once(": ")
            .context("a dump's line without an offset")?;
        let digits: String = rest
            .split("  ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        for pair in digits.as_bytes().chunks(2) {
            let pair = str::from_utf8(pair)?;
            bytes.push(u8::from_str_radix(pair, 16).with_context(|| format!("{line:?}"))?);
        }
    }
    Ok(bytes.into())
}

/// What the codec's multipart parser finds in the saved body.
pub(super) fn parts(launch: &Launch) -> Result<Saw> {
    let mut saw = Saw {
        jpegs: Vec::new(),
        complaints: complaints(&stderr(launch)?),
    };
    let mut parser = Parser::default();
    parser.push(fs::read(launch.folder.join("body"))?);
    parser.finish();
    while let Some(event) = parser.poll() {
        match event {
            Found::Frame(frame) => saw.jpegs.push(frame.into_bytes()),
            Found::Discarded {
                reason: DiscardReason::Framing,
                ..
            } => {}
            other => saw.complaints.push(format!("the body holds {other:?}")),
        }
    }
    Ok(saw)
}

const AT_THE_END: [&str; 2] = ["Stream ends prematurely at", ": Input/output error"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_read_back() {
        let dump = "\n00000000: ffd8 ffe0 0010 4a46 4946 0001 0101 0078  ......JFIF.....x\n\
                    00000010: 3a20 41                                  : A\n";
        let bytes = undump(dump).unwrap();
        assert_eq!(bytes.len(), 19);
        assert!(bytes.starts_with(b"\xFF\xD8\xFF\xE0\0\x10JFIF") && bytes.ends_with(b": A"));
        assert!(undump("00000000: fxd8  ..").is_err());
    }
}

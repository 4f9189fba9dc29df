//! Reads what a viewer saw from what it left behind.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use mjpeg_codec::{DiscardReason, Found, multipart::Parser};

use crate::setting::Launch;

/// The pictures that a viewer found, in order, and its complaints.
pub(crate) struct Saw {
    pub(crate) jpegs: Vec<Bytes>,
    pub(crate) complaints: Vec<String>,
}

impl Saw {
    pub(super) fn jpegs(jpegs: Vec<Bytes>) -> Self {
        let complaints = Vec::new();
        Self { jpegs, complaints }
    }

    /// With the complaints that the viewer wrote to standard error.
    fn with_complaints(launch: &Launch<'_>, jpegs: Vec<Bytes>) -> Result<Self> {
        let stderr = fs::read(launch.folder.join("stderr"))?;
        let complaints = complaints(&String::from_utf8_lossy(&stderr));
        Ok(Self { jpegs, complaints })
    }

    /// Cuts off what precedes the SOI, as decoders do. A program that reads the body as bare JPEGs
    /// gets the multipart headers too.
    pub(super) fn begun_at_soi(mut self) -> Self {
        for jpeg in &mut self.jpegs {
            let soi = jpeg.windows(2).position(|two| two == [0xFF, 0xD8]);
            *jpeg = jpeg.slice(soi.unwrap_or_default()..);
        }
        self
    }
}

/// The pictures that a program saved as files.
pub(super) fn files(launch: &Launch<'_>) -> Result<Saw> {
    Saw::with_complaints(launch, pictures(&launch.folder)?)
}

/// The first lines of standard error, without those that ffmpeg's HTTP reader writes at the end of
/// each body that has no length.
pub(crate) fn complaints(stderr: &str) -> Vec<String> {
    let at_the_end = |line: &str| AT_THE_END.iter().any(|end| line.contains(end));
    let lines = stderr.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !at_the_end(line));
    let lines = lines.take(3).map(|line| format!("it says: {line}"));
    lines.collect()
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

/// The packets in ffprobe's output, where each is a hex dump.
pub(super) fn packets(launch: &Launch<'_>) -> Result<Saw> {
    let output = fs::read(launch.folder.join("stdout"))?;
    let output: serde_json::Value = serde_json::from_slice(&output)?;
    let packets = output["packets"].as_array();
    let mut jpegs = Vec::new();
    for packet in packets.context("no packets in its output")? {
        let dump = packet["data"].as_str();
        jpegs.push(undump(dump.context("a packet without data")?)?);
    }
    Saw::with_complaints(launch, jpegs)
}

/// Reads a hex dump. Each line has an offset, 16 bytes as hexadecimal digits, and the same as text.
fn undump(dump: &str) -> Result<Bytes> {
    let mut bytes = Vec::new();
    for line in dump.lines().filter(|line| !line.is_empty()) {
        let offset = line.split_once(": ");
        let (_, rest) = offset.context("a line of a dump without an offset")?;
        let digits = rest.split("  ").next().unwrap_or_default().replace(' ', "");
        for pair in digits.as_bytes().chunks(2) {
            let pair = str::from_utf8(pair)?;
            bytes.push(u8::from_str_radix(pair, 16).with_context(|| format!("{line:?}"))?);
        }
    }
    Ok(bytes.into())
}

/// The pictures that the codec's multipart parser finds in the saved body.
pub(super) fn parts(launch: &Launch<'_>) -> Result<Saw> {
    let mut saw = Saw::with_complaints(launch, Vec::new())?;
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

//! Makes a clip of a folder of JPEGs, which are sorted by name.
//!
//! `cargo run --example clip -- FOLDER FILE [FRAMES_PER_SECOND]`; the extension of the file, `mov`,
//! `avi`, `zip` or `mjpeg`, is the format.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or(USAGE)?;
    let target = PathBuf::from(args.next().ok_or(USAGE)?);
    let rate: u32 = args.next().map_or(Ok(15), |rate| rate.parse())?;
    let extension = target.extension().and_then(OsStr::to_str).ok_or(USAGE)?;
    let format: ClipFormat = extension.parse()?;

    let pictures = pictures(Path::new(&folder))?;
    let first = pictures.first().ok_or("no .jpg in the folder")?;
    let taken = fs::metadata(first)?.modified()?;
    let (width, height) = size(&fs::read(first)?)?;
    let mut plan = ClipPlan::new(taken, width, height);
    for (number, picture) in (0..).zip(&pictures) {
        let bytes = usize::try_from(fs::metadata(picture)?.len())?;
        plan.push(Duration::from_secs(1) * number / rate.max(1), bytes)?;
    }

    let mut file = BufWriter::new(File::create(&target)?);
    let mut muxer = Muxer::new(format, plan)?;
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => file.write_all(&bytes)?,
            MuxStep::NeedsFrame(index) => muxer.push(frame(&pictures[index]))?,
            _ => break,
        }
    }
    file.flush()?;
    eprintln!("wrote {} frames to {}", pictures.len(), target.display());
    Ok(())
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            pictures.push(path);
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// None if the file has gone in the meantime.
fn frame(picture: &Path) -> Option<MuxFrame> {
    let jpeg = fs::read(picture).ok()?;
    let (width, height) = size(&jpeg).ok()?;
    Some(MuxFrame::new(Bytes::from(jpeg), width, height))
}

/// Reads the size in the frame header.
fn size(jpeg: &[u8]) -> Result<(u16, u16), Box<dyn Error>> {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, content @ ..] = rest {
        let is_frame_header =
            (0xC0..=0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker);
        if let (true, [_, h1, h0, w1, w0, ..]) = (is_frame_header, content) {
            return Ok((
                u16::from_be_bytes([*w1, *w0]),
                u16::from_be_bytes([*h1, *h0]),
            ));
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = rest.get(2 + length..).unwrap_or_default();
    }
    Err("not a JPEG".into())
}

const USAGE: &str = "usage: clip FOLDER FILE.mov|avi|zip|mjpeg [FRAMES_PER_SECOND]";

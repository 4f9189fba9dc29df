//! Makes a clip of a folder of JPEGs, which are sorted by name, or of a few drawn ones.
//!
//! `cargo run --example clip -- [FILE [FOLDER [FRAMES_PER_SECOND]]]`; the extension of the file,
//! `mov`, `avi`, `zip` or `mjpeg`, is the format.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let target = args
        .next()
        .map_or_else(|| std::env::temp_dir().join("clip.mov"), PathBuf::from);
    let folder = args.next().unwrap_or_default();
    let rate = args.next().unwrap_or_else(|| "15".into());
    let rate: u32 = rate.to_string_lossy().parse()?;
    let extension = target.extension().and_then(OsStr::to_str);
    let format: ClipFormat = extension.unwrap_or_default().parse()?;

    let pictures = pictures(Path::new(&folder))?;
    let first = pictures.first().ok_or("no .jpg in the folder")?.frame()?;
    let mut plan = ClipPlan::new(SystemTime::now(), first.width, first.height);
    for (number, picture) in (0..).zip(&pictures) {
        let at = Duration::from_secs(1) * number / rate.max(1);
        plan.push(at, picture.length()?)?;
    }

    let mut file = BufWriter::new(File::create(&target)?);
    let mut muxer = Muxer::new(format, plan)?;
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => file.write_all(&bytes)?,
            // A file that has gone in the meantime costs itself alone.
            MuxStep::NeedsFrame(index) => muxer.push(pictures[index].frame().ok())?,
            _ => break,
        }
    }
    file.flush()?;
    eprintln!("wrote {} frames to {}", pictures.len(), target.display());
    Ok(())
}

enum Picture {
    File(PathBuf),
    Drawn(Bytes),
}

impl Picture {
    fn length(&self) -> Result<usize, Box<dyn Error>> {
        Ok(match self {
            Self::File(path) => usize::try_from(fs::metadata(path)?.len())?,
            Self::Drawn(jpeg) => jpeg.len(),
        })
    }

    fn frame(&self) -> Result<MuxFrame, Box<dyn Error>> {
        let jpeg = match self {
            Self::File(path) => fs::read(path)?.into(),
            Self::Drawn(jpeg) => jpeg.clone(),
        };
        let (width, height) = size(&jpeg)?;
        Ok(MuxFrame::new(jpeg, width, height))
    }
}

/// The pictures of a folder, or a bar that moves if there is none.
fn pictures(folder: &Path) -> Result<Vec<Picture>, Box<dyn Error>> {
    if folder.as_os_str().is_empty() {
        return (0..45)
            .map(|number| Ok(Picture::Drawn(bar(number)?)))
            .collect();
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(Picture::File).collect())
}

fn bar(left: usize) -> Result<Bytes, Box<dyn Error>> {
    let mut row = [40; 64];
    row[left..left + 16].fill(220);
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 80).encode(&row.repeat(48), 64, 48, ColorType::Luma)?;
    Ok(jpeg.into())
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

//! Keeps a folder of JPEGs as a time-lapse, or a few drawn ones, and makes a movie of them.
//!
//! `cargo run --example timelapse -- [STORE [MOVIE [FRAMES_PER_SECOND [FOLDER]]]]`; the extension
//! of the movie, `mov`, `avi`, `zip` or `mjpeg`, is its format.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use mjpeg_mux::ClipFormat;
use mjpeg_timelapse::{TimelapseFrame, TimelapsePace, TimelapseSpec, TimelapseStore};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let temporary = std::env::temp_dir();
    let store = args.next().map(PathBuf::from);
    let store = store.unwrap_or_else(|| temporary.join("timelapse"));
    let target = args.next().map(PathBuf::from);
    let target = target.unwrap_or_else(|| temporary.join("timelapse.mov"));
    let fps = args.next().unwrap_or_else(|| "25".into());
    let fps: u32 = fps.to_string_lossy().parse()?;
    let folder = args.next().unwrap_or_default();
    let extension = target.extension().and_then(OsStr::to_str);
    let format: ClipFormat = extension.unwrap_or_default().parse()?;

    let store = TimelapseStore::open(store, QUOTA_BYTES)?;
    let spec = TimelapseSpec::new("example").with_fps(fps);
    let id = store.create(&spec, SystemTime::now())?.id;
    for jpeg in pictures(Path::new(&folder))? {
        let (width, height) = size(&jpeg)?;
        let frame = TimelapseFrame::new(jpeg, SystemTime::now(), width, height);
        store.append(&id, &frame)?;
    }
    store.finish(&id, "no more pictures", SystemTime::now())?;

    let mut movie = store.movie(&id, format, TimelapsePace::Fps(fps))?;
    let mut file = BufWriter::new(File::create(&target)?);
    while let Some(piece) = movie.next_piece()? {
        file.write_all(&piece)?;
    }
    file.flush()?;
    for job in store.list() {
        eprintln!("{}: {} frames, {} bytes", job.id, job.frames, job.bytes);
    }
    eprintln!("wrote {}", target.display());
    Ok(())
}

/// The pictures of a folder in the order of their names, or a bar that moves if there is none.
fn pictures(folder: &Path) -> Result<Vec<Bytes>, Box<dyn Error>> {
    if folder.as_os_str().is_empty() {
        return (0..45).map(bar).collect();
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            paths.push(path);
        }
    }
    paths.sort();
    let pictures = paths.into_iter().map(|path| Ok(fs::read(path)?.into()));
    pictures.collect()
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

const QUOTA_BYTES: u64 = 1 << 30;

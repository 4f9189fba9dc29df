//! Splits a Motion-JPEG file into JPEG files and tells what it found.
//!
//! ```text
//! cargo run -p mjpeg-codec --example split -- recording.mjpeg pictures/
//! ```
//!
//! A file of `-` is standard input:
//!
//! ```text
//! nc 192.168.1.100 6001 | cargo run -p mjpeg-codec --example split -- - pictures/
//! ```
//!
//! Without a folder it only lists the frames; without any argument it lists those of a tiny
//! built-in stream.

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Read},
    path::Path,
};

use mjpeg_codec::{Found, Splitter, SplitterConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let mut reader: Box<dyn Read> = match args.next() {
        Some(file) if file == "-" => Box::new(io::stdin().lock()),
        Some(file) => {
            Box::new(File::open(&file).map_err(|e| format!("cannot open {}: {e}", file.display()))?)
        }
        None => Box::new(BUILT_IN),
    };
    let folder = args.next();

    let mut splitter = Splitter::new(SplitterConfig::default());
    let (mut frames, mut discarded_bytes) = (0, 0);
    loop {
        let n = reader.read(splitter.spare_mut())?;
        splitter.filled(n);
        if n == 0 {
            splitter.finish();
        }
        while let Some(found) = splitter.poll() {
            match found {
                Found::Frame(frame) => {
                    let (offset, length) = (frame.offset(), frame.bytes().len());
                    println!(
                        "frame {frames} at {offset}, {length} bytes, {}x{}",
                        frame.width(),
                        frame.height()
                    );
                    if let Some(folder) = &folder {
                        std::fs::write(
                            Path::new(folder).join(format!("{frames:06}.jpg")),
                            frame.bytes(),
                        )?;
                    }
                    frames += 1;
                }
                Found::Discarded { reason, range } => {
                    println!(
                        "{reason} at {}, {} bytes",
                        range.start,
                        range.end - range.start
                    );
                    discarded_bytes += range.end - range.start;
                }
                _ => {}
            }
        }
        if n == 0 {
            println!("{frames} frames, {discarded_bytes} bytes discarded");
            return Ok(());
        }
    }
}

/// A grey picture of 8x8, then a line break, then the beginning of another that breaks off.
const BUILT_IN: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0, 0x2A, 0xFF, 0xD9, b'\r', b'\n', 0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11,
];

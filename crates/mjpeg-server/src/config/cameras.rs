//! Settings of cameras.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use mjpeg_manager::{
    Placeholder, StreamSpec,
    mjpeg_codec::{Frame, repair::Repairs},
    mjpeg_ingest::escaped,
};

use crate::cli::camera_args::{CameraArgs, PlaceholderArg};

/// Applies the arguments to the specs of all streams.
///
/// # Errors
///
/// When a fallback names no stream, or the placeholder's file cannot be used.
pub(super) fn apply(args: &CameraArgs, specs: Vec<StreamSpec>) -> Result<Vec<StreamSpec>> {
    let placeholder = placeholder(&args.placeholder)?;
    let placeholder_after = Duration::from_secs_f64(args.placeholder_after);
    let linger = Duration::from_secs_f64(args.linger);
    let changed = specs.into_iter().map(|spec| {
        let spec = spec
            .with_check(args.check_frames)
            .with_placeholder(placeholder.clone())
            .with_placeholder_after(placeholder_after);
        if args.on_demand {
            spec.with_on_demand(linger)
        } else {
            spec
        }
    });
    let mut specs: Vec<_> = changed.collect();
    for fallback in &args.fallbacks {
        let name = &fallback.name;
        let Some(spec) = specs.iter_mut().find(|spec| spec.name() == name) else {
            bail!("--fallback {name}=…: no stream named {name}; add --stream {name}=…");
        };
        *spec = spec.clone().with_fallback(fallback.source.clone());
    }
    Ok(specs)
}

fn placeholder(arg: &PlaceholderArg) -> Result<Placeholder> {
    let path = match arg {
        PlaceholderArg::None => return Ok(Placeholder::None),
        PlaceholderArg::Drawn => return Ok(Placeholder::Drawn),
        PlaceholderArg::File(path) => path,
    };
    let shown = path.display().to_string();
    let shown = escaped(&shown);
    let bytes = read(path).with_context(|| {
        format!("--placeholder: cannot read {shown} (\"drawn\" and \"none\" need no file)")
    })?;
    let frame = Frame::parse(bytes)
        .with_context(|| format!("--placeholder: {shown} is no JPEG picture"))?;
    Ok(Placeholder::Picture(frame.repaired(Repairs::RECOMMENDED).0))
}

/// Reads a file of limited size. A pipe or a device would have no end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("larger than 16 MiB"));
    }
    Ok(bytes)
}

/// The largest picture of the operator's own: no larger than one of a camera.
const MOST_BYTES: u64 = 16 << 20;

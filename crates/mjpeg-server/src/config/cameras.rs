//! Settings of cameras.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use mjpeg_manager::{
    Placeholder, StreamSpec,
    mjpeg_codec::{Frame, repair::Repairs},
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
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| {
        format!("--placeholder: cannot read {shown} (\"drawn\" and \"none\" need no file)")
    })?;
    let frame = Frame::parse(bytes)
        .with_context(|| format!("--placeholder: {shown} is no JPEG picture"))?;
    Ok(Placeholder::Picture(frame.repaired(Repairs::RECOMMENDED).0))
}

//! What the command line says of cameras, beside the streams themselves.

use std::{path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use mjpeg_manager::{
    Placeholder, StreamName, StreamSpec,
    mjpeg_codec::{Frame, repair::Repairs},
    mjpeg_ingest::Source,
};

/// Holds for all streams of the command line, but for the fallbacks.
#[derive(Args, Debug)]
pub(crate) struct CameraArgs {
    /// Another camera for a stream, for when its first has no pictures. Repeat for more, in their order; the stream goes back when the first is stable
    /// again
    #[arg(long = "fallback", value_name = "NAME=URL", help_heading = "Cameras")]
    fallbacks: Vec<FallbackArg>,

    /// Connect to cameras only while somebody watches or asks for a picture
    #[arg(long, conflicts_with = "require_cameras", help_heading = "Cameras")]
    on_demand: bool,

    /// With --on-demand: how many seconds a camera stays connected after the last viewer
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, requires = "on_demand", help_heading = "Cameras")]
    linger: f64,

    /// Check each picture for damage within, at some 4 ms per megabyte, and hold damaged ones back
    #[arg(long, help_heading = "Cameras")]
    check_frames: bool,

    /// What viewers see where there is no picture: "drawn" (the stream's name, what is wrong, since when), "none", or a JPEG file
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "drawn",
        help_heading = "Cameras"
    )]
    placeholder: PlaceholderArg,

    /// How many seconds old a lost camera's last picture may be before the placeholder takes its place
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Cameras")]
    placeholder_after: f64,
}

impl CameraArgs {
    /// Adds what was said to each stream.
    ///
    /// # Errors
    ///
    /// When a fallback is for a stream that there is not, or the placeholder's file is none.
    pub(crate) fn apply(&self, specs: &mut [StreamSpec]) -> Result<()> {
        let placeholder = self.placeholder.read()?;
        for spec in specs.iter_mut() {
            let mut changed = spec
                .clone()
                .with_check(self.check_frames)
                .with_placeholder(placeholder.clone())
                .with_placeholder_after(Duration::from_secs_f64(self.placeholder_after));
            if self.on_demand {
                changed = changed.with_on_demand(Duration::from_secs_f64(self.linger));
            }
            *spec = changed;
        }
        for FallbackArg { name, source } in &self.fallbacks {
            let spec = specs.iter_mut().find(|spec| spec.name() == name);
            let Some(spec) = spec else {
                bail!(
                    "--fallback {name}=… is for a stream that there is not; add --stream {name}=…"
                );
            };
            *spec = spec.clone().with_fallback(source.clone());
        }
        Ok(())
    }
}

/// `NAME=URL`.
#[derive(Clone, Debug)]
struct FallbackArg {
    name: StreamName,
    source: Source,
}

impl FromStr for FallbackArg {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, url) = text
            .split_once('=')
            .context("write NAME=URL; the '=' is missing")?;
        Ok(Self {
            name: name.parse()?,
            source: url.parse()?,
        })
    }
}

#[derive(Clone, Debug)]
enum PlaceholderArg {
    None,
    Drawn,
    File(PathBuf),
}

impl FromStr for PlaceholderArg {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "none" => Self::None,
            "drawn" => Self::Drawn,
            path => Self::File(path.into()),
        })
    }
}

impl PlaceholderArg {
    fn read(&self) -> Result<Placeholder> {
        let path = match self {
            Self::None => return Ok(Placeholder::None),
            Self::Drawn => return Ok(Placeholder::Drawn),
            Self::File(path) => path,
        };
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| {
            format!("--placeholder: cannot read {shown} (\"drawn\" and \"none\" need no file)")
        })?;
        let frame = Frame::parse(bytes)
            .with_context(|| format!("--placeholder: {shown} is no JPEG picture"))?;
        Ok(Placeholder::Picture(frame.repaired(Repairs::RECOMMENDED).0))
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=MOST_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds, 0 or more".into()),
    }
}

/// Ten years: as good as for ever.
const MOST_SECONDS: f64 = 10.0 * 365.0 * 86400.0;

//! The arguments about cameras.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use mjpeg_manager::{StreamName, mjpeg_ingest::Source};

use crate::secrets::expanded;

/// These apply to all streams of the command line, except for `--fallback`, which names its stream.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cameras")]
pub(crate) struct CameraArgs {
    /// A camera to use while a stream's first one has no pictures. Repeat for more, in order of
    /// preference; the stream goes back when the first one is stable again
    #[arg(long = "fallback", value_name = "NAME=URL")]
    pub(crate) fallbacks: Vec<FallbackArg>,

    /// Connect to cameras only while somebody watches or asks for a picture
    #[arg(long, conflicts_with = "require_cameras")]
    pub(crate) on_demand: bool,

    /// With --on-demand: how many seconds a camera stays connected after the last viewer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10.0,
        value_parser = seconds,
        requires = "on_demand"
    )]
    pub(crate) linger: f64,

    /// Check each picture for damage inside, and hold damaged ones back. Takes 3 to 5 ms per
    /// megabyte, and up to 60 ms per megabyte of pictures that are made to be slow
    #[arg(long)]
    pub(crate) check_frames: bool,

    /// What viewers see while there is no picture: "drawn" (the stream's name, what is wrong in
    /// general, since when in local time), "none", or a JPEG file
    #[arg(long, value_name = "WHAT", default_value = "drawn")]
    pub(crate) placeholder: PlaceholderArg,

    /// How many seconds old a lost camera's last picture may be before the placeholder takes its
    /// place
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub(crate) placeholder_after: f64,
}

/// A fallback as one argument: `NAME=URL`.
#[derive(Clone, Debug)]
pub(crate) struct FallbackArg {
    pub(crate) name: StreamName,
    pub(crate) source: Source,
}

impl FromStr for FallbackArg {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, url) = text
            .split_once('=')
            .context("write NAME=URL; the '=' is missing")?;
        Ok(Self {
            name: name.parse()?,
            source: expanded(url)
                .map_err(|error| anyhow!("{error:#}"))?
                .parse()?,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) enum PlaceholderArg {
    None,
    Drawn,
    File(PathBuf),
}

impl FromStr for PlaceholderArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::None,
            "drawn" => Self::Drawn,
            path => Self::File(path.into()),
        })
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds, 0 or more".into()),
    }
}

/// Ten years: long enough to mean "no limit".
const MAX_SECONDS: f64 = 10.0 * 365.0 * 86400.0;

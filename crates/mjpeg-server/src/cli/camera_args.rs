//! The arguments about cameras.

use clap::{Args, builder::BoolishValueParser};
use serde::Serialize;

use crate::config::value::{
    choice::{Repair, StartChoice},
    placeholder::PlaceholderChoice,
    rotation::Rotation,
    text::TextValue,
    time::Time,
};

/// Defaults of all streams, whose own keys in a file beat them. The fields are called like the keys
/// that they set.
#[derive(Args, Debug, Serialize)]
#[command(next_help_heading = "Cameras")]
pub(crate) struct CameraArgs {
    /// Fail if a camera cannot be reached at the start, instead of trying again until it can
    #[arg(
        id = "start",
        long = "require-cameras",
        env = "MJPEG_REQUIRE_CAMERAS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = start
    )]
    pub(crate) start: Option<StartChoice>,

    /// Connect to cameras only while somebody watches or asks for a picture
    #[arg(
        long,
        env = "MJPEG_ON_DEMAND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new(),
        conflicts_with = "start"
    )]
    pub(crate) on_demand: Option<bool>,

    /// With --on-demand: how many seconds a camera stays connected after the last viewer
    /// [default: 10]
    #[arg(long, env = "MJPEG_LINGER", value_name = "SECONDS")]
    pub(crate) linger: Option<Time>,

    /// What to repair in pictures that need it, separated by commas; no pixel changes
    /// [default: huffman-tables,embedded-markers,eoi]
    #[arg(
        long,
        env = "MJPEG_REPAIR",
        value_name = "LIST",
        value_enum,
        value_delimiter = ','
    )]
    pub(crate) repair: Option<Vec<Repair>>,

    /// By how many degrees viewers turn pictures clockwise: 0, 90, 180 or 270. Only a tag in the
    /// picture changes, which browsers heed and many programs do not [default: 0]
    #[arg(long, env = "MJPEG_ROTATE", value_name = "DEGREES")]
    pub(crate) rotate: Option<Rotation>,

    /// Viewers swap left and right, after --rotate, by the same tag
    #[arg(
        long,
        env = "MJPEG_MIRROR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) mirror: Option<bool>,

    /// Check each picture for damage inside, and hold damaged ones back. Takes 3 to 5 ms per
    /// megabyte, and up to 60 ms per megabyte of pictures that are made to be slow
    #[arg(
        long,
        env = "MJPEG_CHECK_FRAMES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) check_frames: Option<bool>,

    /// What viewers see while there is no picture: "drawn" (the stream's name, what is wrong in
    /// general, since when in local time), "none", or a JPEG file [default: drawn]
    #[arg(long, env = "MJPEG_PLACEHOLDER", value_name = "WHAT")]
    pub(crate) placeholder: Option<TextValue<PlaceholderChoice>>,

    /// How many seconds old a lost camera's last picture may be before the placeholder takes its
    /// place [default: 10]
    #[arg(long, env = "MJPEG_PLACEHOLDER_AFTER", value_name = "SECONDS")]
    pub(crate) placeholder_after: Option<Time>,
}

fn start(text: &str) -> Result<StartChoice, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(StartChoice::Require),
        "false" | "no" | "off" | "0" => Ok(StartChoice::Retry),
        _ => Err("expected true or false".into()),
    }
}

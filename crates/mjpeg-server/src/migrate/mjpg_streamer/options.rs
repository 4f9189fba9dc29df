//! The options of mjpg-streamer and its plugins.

use crate::migrate::flags::KnownFlag;

pub(super) const PROGRAM: &[KnownFlag] = &[
    (&["input", "i"], true),
    (&["output", "o"], true),
    (&["background", "b"], false),
    (&["version", "v"], false),
    (&["help", "h"], false),
];

pub(super) const HTTP_OUTPUT: &[KnownFlag] = &[
    (&["port", "p"], true),
    (&["listen", "l"], true),
    (&["credentials", "c"], true),
    (&["www", "w"], true),
    (&["nocommands", "n"], false),
    (&["ratelimit", "r"], true),
];

pub(super) const UVC: &[KnownFlag] = &[
    (&["device", "d"], true),
    (&["resolution", "r"], true),
    (&["fps", "f"], true),
    (&["yuv", "y"], false),
    (&["uyvy", "u"], false),
    (&["fourcc"], true),
    (&["quality", "q"], true),
    (&["minimum_size", "m"], true),
    (&["every_frame", "e"], true),
    (&["no_dynctrl", "n"], false),
    (&["led", "l"], true),
    (&["tvnorm", "t"], true),
    (&["softfps"], true),
    (&["timeout"], true),
    (&["timestamp"], false),
    (&["brightness", "br"], true),
    (&["contrast", "co"], true),
    (&["sharpness", "sh"], true),
    (&["saturation", "sa"], true),
    (&["gain"], true),
    (&["cb"], true),
    (&["wb"], true),
    (&["ex"], true),
    (&["bk"], true),
    (&["rot"], true),
    (&["hf"], true),
    (&["vf"], true),
    (&["pl"], true),
    (&["cagc"], true),
];

pub(super) const RASPICAM: &[KnownFlag] = &[
    (&["x", "width"], true),
    (&["y", "height"], true),
    (&["fps"], true),
    (&["rot"], true),
    (&["hf"], false),
    (&["vf"], false),
    (&["quality"], true),
    (&["ex"], true),
    (&["awb"], true),
    (&["ISO"], true),
];

pub(super) const HTTP_INPUT: &[KnownFlag] = &[
    (&["host", "H"], true),
    (&["port", "p"], true),
    (&["request", "r"], true),
    (&["credentials", "c"], true),
    (&["boundary", "b"], true),
];

pub(super) const FILE_INPUT: &[KnownFlag] = &[
    (&["folder", "f"], true),
    (&["name", "n"], true),
    (&["delay", "d"], true),
    (&["remove", "r"], false),
    (&["existing", "e"], false),
];

/// The sizes that have names.
pub(super) const SIZES: [(&str, &str); 9] = [
    ("QSIF", "160x120"),
    ("QCIF", "176x144"),
    ("CGA", "320x200"),
    ("QVGA", "320x240"),
    ("CIF", "352x288"),
    ("VGA", "640x480"),
    ("SVGA", "800x600"),
    ("XGA", "1024x768"),
    ("SXGA", "1280x1024"),
];

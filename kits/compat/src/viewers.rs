//! The viewers, one per column: how each is run, and how the kit learns what it saw.

mod commands;
pub(crate) mod saw;

use std::process::Command;

use anyhow::Result;

use crate::needs::Tool;
use crate::picture::Fidelity;
use crate::setting::Launch;
use crate::viewers::commands::{curl, ffmpeg, ffprobe, gstreamer, script, vlc};
use crate::viewers::saw::{Saw, files, packets, parts, pictures};

pub(crate) struct Viewer {
    /// The heading of its column.
    pub(crate) name: &'static str,
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) fidelity: Fidelity,
    pub(crate) habit: Habit,
}

/// What a viewer does by itself, which is not the relay's fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    None,
    /// It shows or requests the same picture more than once.
    Repeats,
    /// It repeats, and it reads in blocks: it does not see the end of the last picture until more
    /// bytes arrive. Those come with the relay's repeat, after some seconds of silence.
    RepeatsLate,
}

pub(crate) enum Kind {
    /// A program that connects by itself. When the stream ends, it leaves behind what it saw.
    Program {
        command: fn(&Launch<'_>) -> Result<Command>,
        collect: fn(&Launch<'_>) -> Result<Saw>,
    },
    /// A script that parses what the kit has read from a socket.
    Script {
        command: &'static str,
        script: &'static str,
        /// Whether it takes the first picture of a response and makes a new request for the next.
        stills: bool,
    },
}

pub(crate) const ALL: &[Viewer] = &[
    program("ffmpeg", Tool::Ffmpeg, |it| ffmpeg(it, &[]), files),
    program(
        "ffmpeg raw",
        Tool::Ffmpeg,
        |it| ffmpeg(it, &["-f", "mjpeg"]),
        |it| files(it).map(Saw::begun_at_soi),
    ),
    program("ffprobe", Tool::Ffmpeg, |it| ffprobe(it, &[]), packets),
    program(
        "ffprobe raw",
        Tool::Ffmpeg,
        |it| ffprobe(it, &["-f", "mjpeg"]),
        |it| packets(it).map(Saw::begun_at_soi),
    ),
    Viewer {
        fidelity: Fidelity::Tiles,
        ..program(
            "OpenCV",
            Tool::OpenCv,
            |it| script(it, include_str!("scripts/opencv.py")),
            files,
        )
    },
    Viewer {
        fidelity: Fidelity::Tiles,
        habit: Habit::RepeatsLate,
        ..program("VLC", Tool::Vlc, vlc, |it| {
            Ok(Saw::jpegs(pictures(&it.folder)?))
        })
    },
    program("GStreamer", Tool::GStreamer, gstreamer, files),
    program("curl", Tool::Curl, curl, parts),
    program(
        "requests",
        Tool::Requests,
        |it| script(it, include_str!("scripts/requests_loop.py")),
        files,
    ),
    parser("Mainsail", "mainsail.mjs"),
    parser("Fluidd", "fluidd.mjs"),
    Viewer {
        habit: Habit::Repeats,
        ..viewer(
            "HA still",
            Tool::Python,
            Kind::Script {
                command: "python3",
                script: "home_assistant.py",
                stills: true,
            },
        )
    },
];

const fn viewer(name: &'static str, tool: Tool, kind: Kind) -> Viewer {
    Viewer {
        name,
        tool,
        kind,
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    }
}

const fn program(
    name: &'static str,
    tool: Tool,
    command: fn(&Launch<'_>) -> Result<Command>,
    collect: fn(&Launch<'_>) -> Result<Saw>,
) -> Viewer {
    viewer(name, tool, Kind::Program { command, collect })
}

const fn parser(name: &'static str, script: &'static str) -> Viewer {
    let kind = Kind::Script {
        command: "node",
        script,
        stills: false,
    };
    viewer(name, Tool::Node, kind)
}

//! The viewers, a column each: how one is run, and how the kit learns what it saw.

mod commands;
pub(crate) mod saw;

use std::process::Command;

use anyhow::Result;

use crate::launch::Launch;
use crate::needs::Tool;
use crate::picture::Fidelity;
use crate::viewers::commands::{curl, ffmpeg, ffprobe, gstreamer, script, vlc};
use crate::viewers::saw::{Saw, files_and_complaints, packets, parts, pictures};

pub(crate) struct Viewer {
    /// The heading of its column.
    pub(crate) name: &'static str,
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) fidelity: Fidelity,
    pub(crate) habit: Habit,
}

/// What a viewer does by itself, which is no fault of the relay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    None,
    /// It shows, or requests, the same picture more than once.
    Repeats,
    /// It repeats, and it reads by the block: the end of the last picture waits for more bytes.
    /// They come with the relay's own repeat, after some seconds of silence.
    RepeatsLate,
}

pub(crate) enum Kind {
    /// Connects by itself, and leaves behind what it saw when the stream ends.
    Program {
        command: fn(&Launch) -> Result<Command>,
        collect: fn(&Launch) -> Result<Saw>,
    },
    /// A script that is given what was read from the socket.
    Parser {
        command: &'static str,
        script: &'static str,
    },
    /// A script that takes the first picture of a response; it asks anew for each.
    Stills {
        command: &'static str,
        script: &'static str,
    },
}

pub(crate) const ALL: &[Viewer] = &[
    Viewer {
        name: "ffmpeg",
        tool: Tool::Ffmpeg,
        kind: Kind::Program {
            command: |launch| ffmpeg(launch, &[]),
            collect: files_and_complaints,
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "ffmpeg raw",
        tool: Tool::Ffmpeg,
        kind: Kind::Program {
            command: |launch| ffmpeg(launch, &["-f", "mjpeg"]),
            collect: |launch| files_and_complaints(launch).map(Saw::begun_at_soi),
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "ffprobe",
        tool: Tool::Ffmpeg,
        kind: Kind::Program {
            command: |launch| ffprobe(launch, &[]),
            collect: packets,
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "ffprobe raw",
        tool: Tool::Ffmpeg,
        kind: Kind::Program {
            command: |launch| ffprobe(launch, &["-f", "mjpeg"]),
            collect: |launch| packets(launch).map(Saw::begun_at_soi),
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "OpenCV",
        tool: Tool::OpenCv,
        kind: Kind::Program {
            command: |launch| script(launch, include_str!("scripts/opencv.py")),
            collect: files_and_complaints,
        },
        fidelity: Fidelity::Tiles,
        habit: Habit::None,
    },
    Viewer {
        name: "VLC",
        tool: Tool::Vlc,
        kind: Kind::Program {
            command: vlc,
            collect: |launch| Ok(Saw::jpegs(pictures(&launch.folder)?)),
        },
        fidelity: Fidelity::Tiles,
        habit: Habit::RepeatsLate,
    },
    Viewer {
        name: "GStreamer",
        tool: Tool::GStreamer,
        kind: Kind::Program {
            command: gstreamer,
            collect: files_and_complaints,
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "curl",
        tool: Tool::Curl,
        kind: Kind::Program {
            command: curl,
            collect: parts,
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "requests",
        tool: Tool::Requests,
        kind: Kind::Program {
            command: |launch| script(launch, include_str!("scripts/requests_loop.py")),
            collect: files_and_complaints,
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "Mainsail",
        tool: Tool::Node,
        kind: Kind::Parser {
            command: "node",
            script: "mainsail.mjs",
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "Fluidd",
        tool: Tool::Node,
        kind: Kind::Parser {
            command: "node",
            script: "fluidd.mjs",
        },
        fidelity: Fidelity::Exact,
        habit: Habit::None,
    },
    Viewer {
        name: "HA still",
        tool: Tool::Python,
        kind: Kind::Stills {
            command: "python3",
            script: "home_assistant.py",
        },
        fidelity: Fidelity::Exact,
        habit: Habit::Repeats,
    },
];

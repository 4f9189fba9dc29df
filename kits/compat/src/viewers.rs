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
    program(
        "ffmpeg",
        Tool::Ffmpeg,
        |launch| ffmpeg(launch, &[]),
        files_and_complaints,
    ),
    program(
        "ffmpeg raw",
        Tool::Ffmpeg,
        |launch| ffmpeg(launch, &["-f", "mjpeg"]),
        |launch| files_and_complaints(launch).map(Saw::begun_at_soi),
    ),
    program(
        "ffprobe",
        Tool::Ffmpeg,
        |launch| ffprobe(launch, &[]),
        packets,
    ),
    program(
        "ffprobe raw",
        Tool::Ffmpeg,
        |launch| ffprobe(launch, &["-f", "mjpeg"]),
        |launch| packets(launch).map(Saw::begun_at_soi),
    ),
    program(
        "OpenCV",
        Tool::OpenCv,
        |launch| script(launch, include_str!("scripts/opencv.py")),
        files_and_complaints,
    )
    .re_encodes(),
    program("VLC", Tool::Vlc, vlc, |launch| {
        Ok(Saw::jpegs(pictures(&launch.folder)?))
    })
    .re_encodes()
    .with_habit(Habit::RepeatsLate),
    program(
        "GStreamer",
        Tool::GStreamer,
        gstreamer,
        files_and_complaints,
    ),
    program("curl", Tool::Curl, curl, parts),
    program(
        "requests",
        Tool::Requests,
        |launch| script(launch, include_str!("scripts/requests_loop.py")),
        files_and_complaints,
    ),
    parser("Mainsail", Tool::Node, "node", "mainsail.mjs"),
    parser("Fluidd", Tool::Node, "node", "fluidd.mjs"),
    stills("HA still", Tool::Python, "python3", "home_assistant.py").with_habit(Habit::Repeats),
];

impl Viewer {
    const fn new(name: &'static str, tool: Tool, kind: Kind) -> Self {
        Self {
            name,
            tool,
            kind,
            fidelity: Fidelity::Exact,
            habit: Habit::None,
        }
    }

    const fn re_encodes(mut self) -> Self {
        self.fidelity = Fidelity::Tiles;
        self
    }

    const fn with_habit(mut self, habit: Habit) -> Self {
        self.habit = habit;
        self
    }
}

const fn program(
    name: &'static str,
    tool: Tool,
    command: fn(&Launch) -> Result<Command>,
    collect: fn(&Launch) -> Result<Saw>,
) -> Viewer {
    Viewer::new(name, tool, Kind::Program { command, collect })
}

const fn parser(
    name: &'static str,
    tool: Tool,
    command: &'static str,
    script: &'static str,
) -> Viewer {
    Viewer::new(name, tool, Kind::Parser { command, script })
}

const fn stills(
    name: &'static str,
    tool: Tool,
    command: &'static str,
    script: &'static str,
) -> Viewer {
    Viewer::new(name, tool, Kind::Stills { command, script })
}

//! The tools that the viewers need, and the installed versions.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kit::debian::{install_packages, on_path, output};
use kit::workspace::Workspace;
use xshell::{Shell, cmd};

/// What a viewer is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Ffmpeg,
    Vlc,
    GStreamer,
    Curl,
    OpenCv,
    Requests,
    Node,
    Python,
}

pub(crate) enum Present {
    Yes { version: String },
    No { how: String },
}

const INSTALL: &str = "cargo xtask compat programs --install";

impl Tool {
    const ALL: [Self; 8] = [
        Self::Ffmpeg,
        Self::Vlc,
        Self::GStreamer,
        Self::Curl,
        Self::OpenCv,
        Self::Requests,
        Self::Node,
        Self::Python,
    ];

    /// The Debian packages.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Ffmpeg => &["ffmpeg"],
            Self::Vlc => &["vlc-bin", "vlc-plugin-base"],
            Self::GStreamer => &[
                "gstreamer1.0-tools",
                "gstreamer1.0-plugins-base",
                "gstreamer1.0-plugins-good",
            ],
            Self::Curl => &["curl"],
            Self::OpenCv | Self::Requests => &["python3", "python3-venv"],
            Self::Node => &["nodejs"],
            Self::Python => &["python3"],
        }
    }

    /// Its names on PyPI and in Python.
    fn module(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::OpenCv => Some(("opencv-python-headless", "cv2")),
            Self::Requests => Some(("requests", "requests")),
            _ => None,
        }
    }

    fn version(self, sh: &Shell, python: &str) -> Option<String> {
        let first = |text: String| text.lines().next().map(str::to_owned);
        match self {
            Self::Ffmpeg => output(sh, "ffprobe", &["-version"])
                .and_then(|_| output(sh, "ffmpeg", &["-version"]))
                .and_then(first)
                .map(|line| {
                    line.split(" Copyright")
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }),
            // VLC refuses to run as root, so the version is that of its package.
            Self::Vlc => on_path("vlc").then(|| {
                let debian = output(sh, "dpkg-query", &["-W", "-f=VLC ${Version}", "vlc-bin"]);
                debian.unwrap_or_else(|| "VLC".to_owned())
            }),
            Self::GStreamer => ["souphttpsrc", "multipartdemux", "multifilesink"]
                .iter()
                .all(|element| output(sh, "gst-inspect-1.0", &["--exists", element]).is_some())
                .then(|| output(sh, "gst-launch-1.0", &["--version"]))
                .flatten()
                .and_then(|text| {
                    text.lines()
                        .find(|l| l.starts_with("GStreamer"))
                        .map(str::to_owned)
                }),
            Self::Curl => output(sh, "curl", &["--version"])
                .and_then(first)
                .map(|line| line.split(" (").next().unwrap_or_default().to_owned()),
            Self::Node => {
                output(sh, "node", &["--version"]).map(|v| format!("Node.js {}", v.trim()))
            }
            Self::Python => output(sh, "python3", &["--version"]).map(|v| v.trim().to_owned()),
            Self::OpenCv | Self::Requests => {
                let (package, module) = self.module()?;
                let script = format!("import {module}; print({module}.__version__)");
                let version = output(sh, python, &["-c", &script])?;
                Some(format!("{package} {}", version.trim()))
            }
        }
    }
}

/// What was found on this machine.
pub(crate) struct Machine {
    /// The Python that has the modules.
    pub(crate) python: String,
    pub(crate) root: bool,
    found: Vec<(Tool, Present)>,
}

impl Machine {
    pub(crate) fn look(workspace: &Workspace) -> Self {
        let sh = &workspace.sh;
        let own = venv(workspace).join("bin/python");
        let python = if own.is_file() {
            own.display().to_string()
        } else {
            "python3".to_owned()
        };
        let found = Tool::ALL.map(|tool| {
            let present = match tool.version(sh, &python) {
                Some(version) => Present::Yes { version },
                None => Present::No {
                    how: format!("`{INSTALL}`, or by hand: {}", by_hand(tool)),
                },
            };
            (tool, present)
        });
        let root = output(sh, "id", &["-u"]).is_some_and(|id| id.trim() == "0");
        Self {
            python,
            root,
            found: found.into(),
        }
    }

    pub(crate) fn has(&self, tool: Tool) -> &Present {
        let found = self.found.iter().find(|(known, _)| *known == tool);
        &found.expect("all tools were looked for").1
    }

    /// A line for each of these tools.
    pub(crate) fn versions(&self, used: &[Tool]) -> Vec<String> {
        let found = self.found.iter().filter(|(tool, _)| used.contains(tool));
        let lines = found.map(|(tool, present)| match present {
            Present::Yes { version } => version.clone(),
            Present::No { .. } => format!("{tool:?}: not installed"),
        });
        lines.collect()
    }
}

fn by_hand(tool: Tool) -> String {
    let packages = format!("apt-get install {}", tool.packages().join(" "));
    match tool.module() {
        Some((package, _)) => format!("pip install {package}"),
        None => packages,
    }
}

/// Installs what is missing, and nothing else.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let machine = Machine::look(workspace);
    let missing = || {
        let found = machine.found.iter();
        found
            .filter(|(_, present)| matches!(present, Present::No { .. }))
            .map(|(tool, _)| *tool)
    };
    let mut packages: Vec<&str> = missing().flat_map(Tool::packages).copied().collect();
    packages.dedup();
    if !packages.is_empty() {
        install_packages(sh, &packages)?;
    }
    // All of them if one is missing: the others may be the system's, which the folder does not use.
    let modules: Vec<&str> = if missing().any(|tool| tool.module().is_some()) {
        Tool::ALL
            .into_iter()
            .filter_map(Tool::module)
            .map(|(pypi, _)| pypi)
            .collect()
    } else {
        Vec::new()
    };
    if !modules.is_empty() {
        let venv = venv(workspace);
        cmd!(sh, "python3 -m venv {venv}")
            .run()
            .context("python3-venv makes the folder")?;
        let pip = venv.join("bin/pip");
        cmd!(
            sh,
            "{pip} install --quiet --disable-pip-version-check {modules...}"
        )
        .run()?;
    }
    Ok(())
}

fn venv(workspace: &Workspace) -> PathBuf {
    workspace.target("compat/venv")
}

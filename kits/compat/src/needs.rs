//! The tools that the viewers need, and the installed versions.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kit::debian::{install_packages, on_path, output};
use kit::workspace::Workspace;
use xshell::{Shell, cmd};

/// A program or Python module that a viewer needs.
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

    /// How to install it.
    pub(crate) fn how(self) -> String {
        let by_hand = match self.module() {
            Some((package, _)) => format!("pip install {package}"),
            None => format!("apt-get install {}", self.packages().join(" ")),
        };
        format!("`cargo xtask compat programs --install`, or by hand: {by_hand}")
    }

    /// The installed version, with the tool's name. `None` if something is missing.
    fn version(self, sh: &Shell, python: &str) -> Option<String> {
        // The output's first line that begins with `start`, up to `end`.
        let line = |program: &str, argument: &str, start: &str, end: &str| {
            let text = output(sh, program, &[argument])?;
            let line = text.lines().find(|line| line.starts_with(start))?;
            Some(line.split(end).next().unwrap_or(line).trim().to_owned())
        };
        match self {
            Self::Ffmpeg => {
                output(sh, "ffprobe", &["-version"])?;
                line("ffmpeg", "-version", "ffmpeg", " Copyright")
            }
            // VLC refuses to run as root, so ask for its package's version.
            Self::Vlc => on_path("vlc").then(|| {
                let debian = output(sh, "dpkg-query", &["-W", "-f=VLC ${Version}", "vlc-bin"]);
                debian.unwrap_or_else(|| "VLC".to_owned())
            }),
            Self::GStreamer => {
                for element in ["souphttpsrc", "multipartdemux", "multifilesink"] {
                    output(sh, "gst-inspect-1.0", &["--exists", element])?;
                }
                line("gst-launch-1.0", "--version", "GStreamer", "\n")
            }
            Self::Curl => line("curl", "--version", "curl", " ("),
            Self::Node => Some(format!("Node.js {}", line("node", "--version", "v", "\n")?)),
            Self::Python => line("python3", "--version", "Python", "\n"),
            Self::OpenCv | Self::Requests => {
                let (package, module) = self.module()?;
                let script = format!("import {module}; print({module}.__version__)");
                let version = output(sh, python, &["-c", &script])?;
                Some(format!("{package} {}", version.trim()))
            }
        }
    }
}

/// The tools found on this machine.
pub(crate) struct Machine {
    /// The Python that has the modules.
    pub(crate) python: String,
    pub(crate) is_root: bool,
    versions: Vec<(Tool, Option<String>)>,
}

impl Machine {
    pub(crate) fn look(workspace: &Workspace) -> Self {
        let sh = &workspace.sh;
        let own = venv(workspace).join("bin/python");
        let python = match own.is_file() {
            true => own.display().to_string(),
            false => "python3".to_owned(),
        };
        Self {
            is_root: output(sh, "id", &["-u"]).is_some_and(|id| id.trim() == "0"),
            versions: Tool::ALL.map(|it| (it, it.version(sh, &python))).into(),
            python,
        }
    }

    pub(crate) fn has(&self, tool: Tool) -> bool {
        !self.missing().any(|missing| missing == tool)
    }

    fn missing(&self) -> impl Iterator<Item = Tool> {
        let tools = self.versions.iter();
        tools.filter_map(|(tool, version)| version.is_none().then_some(*tool))
    }

    /// A line for each of these tools.
    pub(crate) fn versions(&self, used: &[Tool]) -> Vec<String> {
        let used = self.versions.iter().filter(|(tool, _)| used.contains(tool));
        let line = |(tool, version): &(Tool, Option<String>)| {
            version
                .clone()
                .unwrap_or_else(|| format!("{tool:?}: not installed"))
        };
        used.map(line).collect()
    }
}

/// Installs only what is missing.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let machine = Machine::look(workspace);
    let packages = machine.missing().flat_map(Tool::packages);
    let mut packages: Vec<&str> = packages.copied().collect();
    packages.dedup();
    if !packages.is_empty() {
        install_packages(sh, &packages)?;
    }
    if machine.missing().any(|tool| tool.module().is_some()) {
        // All modules: those that are present may be the system's, which a venv does not use.
        let modules = Tool::ALL.into_iter().filter_map(Tool::module);
        let modules = modules.map(|(pypi, _)| pypi);
        let venv = venv(workspace);
        let made = cmd!(sh, "python3 -m venv {venv}").run();
        made.context("python3-venv is needed to make the folder for the modules")?;
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

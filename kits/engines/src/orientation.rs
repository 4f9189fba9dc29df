//! What viewers do with the tag by which the relay turns and mirrors pictures.

mod corners;
mod pages;
mod programs;
mod scene;

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Result, bail};
use kit::{flags::Orientation, record, workspace::Workspace, workspace::relay_beside_kit};
use xshell::cmd;

use self::{
    corners::Seen,
    pages::WAYS,
    programs::PROGRAMS,
    scene::{Case, Form, Scene},
};
use crate::{browser::Browser, engine::Engine, front::Front};

/// Measures, prints the tables, and records them if that is asked for.
pub(crate) async fn run(ip: IpAddr, flags: Orientation) -> Result<bool> {
    let mut kit = Kit {
        ip,
        server: relay_beside_kit()?,
        lines: Vec::new(),
    };
    let workspace = Workspace::from_env()?;
    let sh = &workspace.sh;
    let is_chosen = |name: &str| {
        flags.viewer.is_empty() || flags.viewer.iter().any(|word| name.contains(&**word))
    };
    kit.line(HEAD);
    let mut versions = Vec::new();
    let mut sequences = Vec::new();
    for engine in Engine::ALL.into_iter().filter(|it| is_chosen(it.name())) {
        let missing = engine.missing().join(", ");
        if !missing.is_empty() {
            println!("{}: skipped, not installed: {missing}", engine.name());
            continue;
        }
        let browser = Browser::start(engine).await?;
        versions.push(format!("* {} {}", engine.name(), browser.version()));
        let outcome = kit.engine(engine, &browser).await;
        browser.close().await;
        sequences.push(outcome?);
    }
    for program in PROGRAMS.iter().filter(|it| is_chosen(it.name)) {
        if let Some(missing) = program.missing(sh) {
            println!("{}: skipped, not installed: {missing}", program.name);
            continue;
        }
        let mut cells = Vec::new();
        for (form, values) in COLUMNS {
            let mut seen = Vec::new();
            for &value in values {
                let scene = Scene::new(kit.ip, &kit.server, Case { value, form }).await?;
                seen.push((value, program.look(&scene).await));
            }
            cells.push(cell(&seen));
        }
        kit.row(program.name, &cells);
    }
    kit.line("");
    for sequence in sequences {
        kit.line(&sequence);
    }
    if let Some(file) = &flags.record {
        let date = cmd!(sh, "date --utc +%F").quiet().read()?;
        versions.extend(program_versions(sh));
        let text = format!(
            "Measured on {date} with `cargo xtask compat orientation`.\n\n{}\n\nVersions:\n\n{}",
            kit.lines.join("\n"),
            versions.join("\n")
        );
        record::write(file, "compat orientation", &text)?;
    }
    Ok(true)
}

struct Kit {
    ip: IpAddr,
    server: PathBuf,
    lines: Vec<String>,
}

impl Kit {
    fn line(&mut self, line: &str) {
        println!("{line}");
        self.lines.push(line.to_owned());
    }

    fn row(&mut self, name: &str, cells: &[String]) {
        self.line(&format!("| {name} | {} |", cells.join(" | ")));
    }

    /// Measures all ways to show a picture in one engine, and returns what is to be said of a
    /// stream whose pictures say different things.
    async fn engine(&mut self, engine: Engine, browser: &Browser) -> Result<String> {
        let client = &browser.client;
        let mut rows: Vec<Vec<String>> = WAYS.map(|_| Vec::new()).into();
        for (form, values) in COLUMNS {
            let mut seen: Vec<Vec<(u8, Result<Seen>)>> = WAYS.map(|_| Vec::new()).into();
            for &value in values {
                let scene = Scene::new(self.ip, &self.server, Case { value, form }).await?;
                let front = Front::start(self.ip, scene.relay.addr).await?;
                for (way, seen) in WAYS.iter().zip(&mut seen) {
                    seen.push((value, way.look(browser, &scene, &front).await));
                }
                pages::open(client, &front).await?;
            }
            for (row, seen) in rows.iter_mut().zip(&seen) {
                row.push(cell(seen));
            }
        }
        for (way, cells) in WAYS.iter().zip(&rows) {
            self.row(&format!("{}: {}", engine.name(), way.name()), cells);
        }
        let case = Case {
            value: 1,
            form: Form::BeforeJfif,
        };
        let scene = Scene::new(self.ip, &self.server, case).await?;
        let front = Front::start(self.ip, scene.relay.addr).await?;
        let shown = pages::one_by_one(browser, &scene, &front).await?;
        let follows = shown.iter().all(|(sent, seen)| *seen == Seen::Shown(*sent));
        let told: Vec<String> = shown
            .iter()
            .map(|(sent, seen)| format!("{sent}: {}", text(*seen)))
            .collect();
        Ok(match follows {
            true => format!(
                "* {}, one `<img>` of a stream whose pictures say 6, 1, 3 and 8 in turn: each is \
                 turned as it says",
                engine.name()
            ),
            false => format!(
                "* {}, one `<img>` of a stream whose pictures say 6, 1, 3 and 8 in turn: {}",
                engine.name(),
                told.join(", ")
            ),
        })
    }
}

/// Sums up what was seen of several values.
fn cell(seen: &[(u8, Result<Seen>)]) -> String {
    let all = |is: &dyn Fn(u8, Seen) -> bool| {
        let mut seen = seen.iter();
        seen.all(|(value, seen)| matches!(seen, Ok(seen) if is(*value, *seen)))
    };
    if all(&|value, seen| seen == Seen::Shown(value)) {
        return "turned".to_owned();
    }
    if all(&|value, seen| seen == Seen::Shown(value) || seen == Seen::Squeezed(value)) {
        return "turned, squeezed".to_owned();
    }
    if all(&|_, seen| seen == Seen::Shown(1)) {
        return "as sent".to_owned();
    }
    let each = seen.iter().map(|(value, seen)| match seen {
        Ok(seen) => format!("{value}: {}", text(*seen)),
        Err(error) => format!(
            "{value}: {}",
            format!("{error:#}").replace(['|', '\n'], " ")
        ),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn text(seen: Seen) -> String {
    match seen {
        Seen::Shown(value) => format!("as {value}"),
        Seen::Squeezed(value) => format!("as {value}, squeezed"),
        Seen::Nothing => "nothing".to_owned(),
    }
}

/// The versions of the programs that are installed.
fn program_versions(sh: &xshell::Shell) -> Vec<String> {
    let first = |program: &str, args: &[&str]| {
        let text = kit::debian::output(sh, program, args)?;
        let line = text.lines().next()?.split(" Copyright").next()?.trim();
        (!line.is_empty()).then(|| format!("* {line}"))
    };
    let gstreamer = kit::debian::output(sh, "gst-launch-1.0", &["--version"])
        .and_then(|text| Some(format!("* {}", text.lines().nth(1)?.trim())));
    let module = "import cv2, PIL; print('OpenCV', cv2.__version__ + ', Pillow', PIL.__version__)";
    [
        first("dpkg-query", &["-W", "-f=VLC ${Version}", "vlc-bin"]),
        first("mpv", &["--version"]),
        first("ffmpeg", &["-version"]),
        gstreamer,
        first("python3", &["-c", module]),
        first(
            "dpkg-query",
            &[
                "-W",
                "-f=djpeg of libjpeg-turbo ${Version}",
                "libjpeg-turbo-progs",
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Installs what is missing of the programs.
pub(crate) fn install() -> Result<()> {
    let workspace = Workspace::from_env()?;
    let sh = &workspace.sh;
    let packages = [
        ("vlc", "vlc-bin"),
        ("vlc", "vlc-plugin-base"),
        ("vlc", "vlc-plugin-video-output"),
        ("mpv", "mpv"),
        ("ffmpeg", "ffmpeg"),
        ("curl", "curl"),
        ("djpeg", "libjpeg-turbo-progs"),
        ("gst-launch-1.0", "gstreamer1.0-tools"),
        ("gst-launch-1.0", "gstreamer1.0-plugins-base"),
        ("gst-launch-1.0", "gstreamer1.0-plugins-good"),
        ("gst-launch-1.0", "gstreamer1.0-plugins-bad"),
    ];
    let missing = packages
        .iter()
        .filter(|(program, _)| !kit::debian::on_path(program));
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        kit::debian::install_packages(sh, &missing)?;
    }
    if kit::debian::output(sh, "python3", &["-c", "import cv2, PIL"]).is_none() {
        bail!("python3 has no modules cv2 and PIL: pip install opencv-python-headless pillow");
    }
    Ok(())
}

/// The columns: who says it, and which values of Exif's tag are tried.
const COLUMNS: [(Form, &[u8]); 3] = [
    (Form::Relay, &[2, 3, 4, 5, 6, 7, 8]),
    (Form::TwoSegments, &[6]),
    (Form::BeforeJfif, &[6]),
];

const HEAD: &str = "\
| viewer | turned by the relay | with the camera's Exif behind | Exif before JFIF |\n\
|---|---|---|---|";

//! What programs show of a picture with the tag.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use kit::{
    child::Child,
    debian::{on_path, output},
    folder::Temporary,
};
use tokio::time::sleep;
use xshell::Shell;

use super::{
    corners::{Seen, seen_in},
    scene::Scene,
};
use crate::browser::start_display;

/// A program, and how it is made to show what it sees.
#[derive(Clone, Copy)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// What must be installed.
    needs: &'static [&'static str],
    /// A Python module that must be installed.
    module: Option<&'static str>,
    /// Elements of GStreamer that must be installed.
    elements: &'static [&'static str],
    shows: Shows,
}

#[derive(Clone, Copy)]
enum Shows {
    /// Ends when it has written `$OUT`, a PPM, from `$URL` or the snapshot `$FILE`.
    File(&'static str),
    /// Fills a screen.
    Screen(&'static str),
}

impl Program {
    /// What is missing to run it.
    pub(super) fn missing(&self, sh: &Shell) -> Option<String> {
        let program = self.needs.iter().find(|program| !on_path(program));
        let module = self.module.filter(|module| {
            let script = format!("import {module}");
            output(sh, "python3", &["-c", &script]).is_none()
        });
        let element = self
            .elements
            .iter()
            .find(|element| output(sh, "gst-inspect-1.0", &["--exists", element]).is_none());
        let missing = program.copied().or(module).or(element.copied());
        missing.map(ToOwned::to_owned)
    }

    /// Looks what it shows.
    pub(super) async fn look(&self, scene: &Scene) -> Result<Seen> {
        let folder = Temporary::new(&format!("mjpeg-orientation-{}", fastrand::u64(..)))?;
        // VLC does not run as root, but writes there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        let out = folder.path().join("out.ppm");
        let snapshot = folder.path().join("snapshot.jpg");
        curl(&scene.url("/snapshot"), &snapshot)?;
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command
                .args(["-c", &format!("exec {script}")])
                .env("URL", scene.url("/stream"))
                .env("FILE", &snapshot)
                .env("OUT", &out)
                .env("HOME", folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        match self.shows {
            Shows::File(script) => {
                let mut program = Child::start(&mut shell(script), self.name)?;
                program.ended(LONGEST).await?;
            }
            Shows::Screen(script) => {
                let (display, number) = start_display().await?;
                let mut command = shell(script);
                command.env("DISPLAY", &number);
                let _program = Child::start(&mut command, self.name)?;
                for is_again in [false, true] {
                    for _ in 0..MOST_LOOKS {
                        sleep(BETWEEN_LOOKS).await;
                        fs::write(&out, grab(&number)?)?;
                        // The first pictures may come before the window has its size.
                        if is_again || seen_in(&fs::read(&out)?)? != Seen::Nothing {
                            break;
                        }
                    }
                }
                drop(display);
            }
        }
        seen_in(&fs::read(&out).with_context(|| format!("{} wrote nothing", self.name))?)
    }
}

/// The pixels of a whole screen.
pub(super) fn grab(screen: &str) -> Result<Vec<u8>> {
    let grabbed = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-f",
            "x11grab",
            "-video_size",
            "1024x768",
        ])
        .args([
            "-i",
            screen,
            "-frames:v",
            "1",
            "-pix_fmt",
            "rgb24",
            "-c:v",
            "ppm",
        ])
        .args(["-f", "image2pipe", "-"])
        .output()
        .context("ffmpeg, which looks at the screen")?;
    ensure!(grabbed.status.success(), "ffmpeg sees no screen");
    Ok(grabbed.stdout)
}

/// Decodes a screenshot.
pub(super) fn as_ppm(png: &Path) -> Result<Vec<u8>> {
    let out = png.with_extension("ppm");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(png)
        .args(["-frames:v", "1", "-pix_fmt", "rgb24"])
        .arg(&out)
        .status()
        .context("ffmpeg, which reads the screenshots")?;
    ensure!(status.success(), "ffmpeg reads no screenshot: {status}");
    Ok(fs::read(out)?)
}

fn curl(url: &str, file: &Path) -> Result<()> {
    let status = Command::new("curl")
        .args(["--silent", "--fail", "--max-time", "10", "--output"])
        .arg(file)
        .arg(url)
        .status()
        .context("curl")?;
    ensure!(status.success(), "no snapshot: {status}");
    Ok(())
}

const fn file(name: &'static str, needs: &'static [&'static str], script: &'static str) -> Program {
    Program {
        name,
        needs,
        module: None,
        elements: &[],
        shows: Shows::File(script),
    }
}

const fn python(name: &'static str, module: &'static str, script: &'static str) -> Program {
    Program {
        module: Some(module),
        ..file(name, &["python3"], script)
    }
}

const fn gstreamer(
    name: &'static str,
    elements: &'static [&'static str],
    script: &'static str,
) -> Program {
    Program {
        elements,
        ..file(name, &["gst-launch-1.0", "gst-inspect-1.0"], script)
    }
}

const fn screen(
    name: &'static str,
    needs: &'static [&'static str],
    script: &'static str,
) -> Program {
    Program {
        shows: Shows::Screen(script),
        ..file(name, needs, "")
    }
}

pub(super) const PROGRAMS: [Program; 12] = [
    screen(
        "VLC, stream",
        &["vlc", "Xvfb", "setpriv", "ffmpeg"],
        // It refuses to run as root.
        "$(test \"$(id -u)\" != 0 || echo setpriv --reuid=nobody --regid=nogroup --clear-groups) \
         vlc --intf=dummy --vout=xcb_x11 --no-audio --no-video-title-show --fullscreen \
         --demux=mjpeg \"$URL\"",
    ),
    screen(
        "mpv, stream",
        &["mpv", "Xvfb", "ffmpeg"],
        "mpv --no-config --vo=x11 --ao=null --no-osc --fs \"$URL\"",
    ),
    screen(
        "ffplay, stream",
        &["ffplay", "Xvfb", "ffmpeg"],
        "ffplay -v error -an -fs \"$URL\"",
    ),
    file(
        "ffmpeg, stream",
        &["ffmpeg"],
        "ffmpeg -v error -nostdin -y -i \"$URL\" -frames:v 1 -pix_fmt rgb24 \"$OUT\"",
    ),
    file(
        "ffmpeg, snapshot",
        &["ffmpeg"],
        "ffmpeg -v error -nostdin -y -i \"$FILE\" -frames:v 1 -pix_fmt rgb24 \"$OUT\"",
    ),
    gstreamer(
        "GStreamer `jpegdec`, stream",
        &["souphttpsrc", "multipartdemux", "jpegdec", "pnmenc"],
        // The picture after the first ends it.
        "gst-launch-1.0 souphttpsrc location=\"$URL\" ! multipartdemux ! jpegdec ! videoconvert \
         ! video/x-raw,format=RGB ! identity eos-after=2 ! pnmenc ! filesink location=\"$OUT\"",
    ),
    gstreamer(
        "GStreamer `jpegparse`, `jpegdec`, `videoflip video-direction=auto`, stream",
        &[
            "souphttpsrc",
            "multipartdemux",
            "jpegparse",
            "jpegdec",
            "videoflip",
            "pnmenc",
        ],
        "gst-launch-1.0 souphttpsrc location=\"$URL\" ! multipartdemux ! jpegparse ! jpegdec \
         ! videoflip video-direction=auto ! videoconvert ! video/x-raw,format=RGB \
         ! identity eos-after=2 ! pnmenc ! filesink location=\"$OUT\"",
    ),
    python(
        "OpenCV `VideoCapture`, stream",
        "cv2",
        "python3 -c 'import cv2, os; \
         cv2.imwrite(os.environ[\"OUT\"], cv2.VideoCapture(os.environ[\"URL\"]).read()[1])'",
    ),
    python(
        "OpenCV `imread`, snapshot",
        "cv2",
        "python3 -c 'import cv2, os; \
         cv2.imwrite(os.environ[\"OUT\"], cv2.imread(os.environ[\"FILE\"]))'",
    ),
    python(
        "Pillow `Image.open`, snapshot",
        "PIL",
        "python3 -c 'import os; from PIL import Image; \
         Image.open(os.environ[\"FILE\"]).save(os.environ[\"OUT\"])'",
    ),
    python(
        "Pillow `ImageOps.exif_transpose`, snapshot",
        "PIL",
        "python3 -c 'import os; from PIL import Image, ImageOps; \
         ImageOps.exif_transpose(Image.open(os.environ[\"FILE\"])).save(os.environ[\"OUT\"])'",
    ),
    file(
        "djpeg, snapshot",
        &["djpeg"],
        "djpeg -pnm -outfile \"$OUT\" \"$FILE\"",
    ),
];

/// How often, and how often at most, the kit looks whether a program shows something.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
const MOST_LOOKS: usize = 20;
const LONGEST: Duration = Duration::from_secs(20);

//! Programs that read clips.

use std::{fs, path::PathBuf, process::Command};

use mjpeg_mux::ClipFormat;
use tempfile::TempDir;

/// A clip in a file, for as long as this lives.
pub(crate) struct ClipFile {
    folder: TempDir,
    format: ClipFormat,
}

/// A frame as ffprobe sees it.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) seconds: f64,
    pub(crate) bytes: usize,
}

impl ClipFile {
    pub(crate) fn new(format: ClipFormat, bytes: &[u8]) -> Self {
        let file = Self::empty(format);
        fs::write(file.path(), bytes).unwrap();
        file
    }

    pub(crate) fn empty(format: ClipFormat) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, format }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(format!("clip.{}", self.format))
    }

    fn text(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    /// Asks ffprobe for the value of an entry, such as `stream=width`.
    pub(crate) fn probe(&self, entry: &str) -> String {
        let output = run(
            "ffprobe",
            &[
                "-v",
                "error",
                "-of",
                "default=nw=1:nk=1",
                "-show_entries",
                entry,
                &self.text(),
            ],
        );
        String::from_utf8(output).unwrap().trim().to_owned()
    }

    /// Lets ffprobe list the packets.
    pub(crate) fn packets(&self) -> Vec<Packet> {
        self.packets_by(&[])
    }

    /// Lets ffprobe list the packets from a second on.
    pub(crate) fn packets_from(&self, seconds: &str) -> Vec<Packet> {
        self.packets_by(&["-read_intervals", &format!("{seconds}%")])
    }

    fn packets_by(&self, options: &[&str]) -> Vec<Packet> {
        let entries = ["-show_entries", "packet=pts_time,size"];
        let text = self.text();
        let args = [
            &["-v", "error", "-of", "csv=p=0"],
            options,
            &entries,
            &[&text],
        ]
        .concat();
        let output = String::from_utf8(run("ffprobe", &args)).unwrap();
        let lines = output.lines().filter(|line| !line.is_empty());
        lines.map(Packet::of).collect()
    }

    /// Lets ffmpeg take out the JPEGs, one after another.
    pub(crate) fn jpegs_by_ffmpeg(&self) -> Vec<u8> {
        run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-i",
                &self.text(),
                "-c",
                "copy",
                "-f",
                "mjpeg",
                "-",
            ],
        )
    }

    /// Lets ffmpeg decode everything. It reports nothing.
    pub(crate) fn decode_by_ffmpeg(&self) {
        self.decode_by_ffmpeg_from("0");
    }

    /// Lets ffmpeg decode what comes from a second on. It reports nothing.
    pub(crate) fn decode_by_ffmpeg_from(&self, seconds: &str) {
        let text = self.text();
        let output = Command::new("ffmpeg")
            .args([
                "-v", "warning", "-ss", seconds, "-i", &text, "-f", "null", "-",
            ])
            .output()
            .expect("ffmpeg is installed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    }

    /// Lets GStreamer take out the JPEGs, one after another, and decode them.
    pub(crate) fn jpegs_by_gstreamer(&self, demuxer: &str) -> Vec<u8> {
        self.decode_by_gstreamer(demuxer);
        let target = self.folder.path().join("jpegs");
        let to = format!("location={}", target.to_str().unwrap());
        self.gstreamer(&[demuxer, "!", "filesink", &to]);
        fs::read(target).unwrap()
    }

    /// Lets GStreamer decode everything.
    pub(crate) fn decode_by_gstreamer(&self, demuxer: &str) {
        self.gstreamer(&[demuxer, "!", "jpegdec", "!", "fakesink", "sync=false"]);
    }

    fn gstreamer(&self, elements: &[&str]) {
        let from = format!("location={}", self.text());
        let args = [&["-q", "filesrc", &from, "!"], elements].concat();
        run("gst-launch-1.0", &args);
    }

    /// Asks Python's own reader of archives for the value of an expression.
    pub(crate) fn python(&self, expression: &str) -> String {
        let script = format!(
            "import json, sys, zipfile\nzip = zipfile.ZipFile(sys.argv[1])\nprint({expression})"
        );
        let output = run("python3", &["-c", &script, &self.text()]);
        String::from_utf8(output).unwrap().trim().to_owned()
    }

    /// Lets a program of Info-ZIP check the archive.
    pub(crate) fn unzip_test(&self) -> String {
        String::from_utf8(run("unzip", &["-t", &self.text()])).unwrap()
    }

    /// Lets a program of Info-ZIP take out a file.
    pub(crate) fn unzip(&self, name: &str) -> Vec<u8> {
        run("unzip", &["-p", &self.text(), name])
    }
}

impl Packet {
    fn of(line: &str) -> Self {
        let mut fields = line.split(',');
        let seconds = fields.next().unwrap().parse().unwrap();
        let bytes = fields.next().unwrap().parse().unwrap();
        Self { seconds, bytes }
    }
}

/// Runs a program, which must succeed. Returns what it prints.
fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is not installed: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {stderr}");
    output.stdout
}

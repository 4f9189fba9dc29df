//! Starts the kit as xtask does, and creates folders of streams for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mjpeg_testkit::jpeg;

pub(crate) fn kit(arguments: &[&str], path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corpus"));
    command.args(arguments).arg(path);
    command
}

pub(crate) fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("the kit starts");
    let text = |bytes| String::from_utf8(bytes).expect("the kit prints text");
    let code = output.status.code();
    (code, text(output.stdout), text(output.stderr))
}

/// An empty folder of the test's own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Three frames with padding between them, and the offset and length of each.
pub(crate) fn stream() -> (Vec<u8>, Vec<(usize, usize)>) {
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let frame = jpeg::numbered(number);
        places.push((bytes.len(), frame.len()));
        bytes.extend_from_slice(&frame);
        bytes.extend_from_slice(b"\r\n");
    }
    (bytes, places)
}

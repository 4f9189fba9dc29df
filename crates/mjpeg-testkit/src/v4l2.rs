//! Cameras of V4L2 that are none: a library to be loaded before the C library of a program.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// A folder of cameras that a program takes for devices of this machine. What is in the folder is
/// described in `stand-in/v4l2.c`.
///
/// Only programs that use the C library as a shared one see them.
#[derive(Debug)]
pub struct V4l2StandIn {
    folder: PathBuf,
}

impl V4l2StandIn {
    /// Builds the library, by `cc`, and makes an empty folder at this path; what is there is
    /// removed.
    ///
    /// # Panics
    ///
    /// If there is no compiler for C, or the folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("dev/v4l/by-id")).expect("a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("stand-in/v4l2.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&folder.join("libv4l2.so"), &source])
            .output()
            .expect("cc");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
        Self { folder }
    }

    /// Opens a folder that another process has made.
    pub fn existing(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder }
    }

    /// The variables of the environment that let a program see the cameras.
    pub fn envs(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", self.folder.join("libv4l2.so")),
            ("V4L2_STAND_IN", self.folder.clone()),
        ]
    }

    /// Plugs a camera in, such as `video0`.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn plug(&self, device: &str, about: &str) {
        let made = self.folder.join("made");
        fs::create_dir_all(made.join("frames")).expect("a folder");
        fs::write(made.join("about"), about).expect("a file");
        // All at once, as a device appears.
        fs::rename(&made, self.plugged(device)).expect("a new device");
    }

    /// Pulls a camera out.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn unplug(&self, device: &str) {
        let away = self.folder.join(device);
        fs::rename(self.plugged(device), away).expect("it was plugged in");
    }

    /// Plugs a camera in again, under the same name or another one.
    ///
    /// # Panics
    ///
    /// If it was not pulled out.
    pub fn replug(&self, device: &str, name: &str) {
        let away = self.folder.join(device);
        fs::rename(away, self.plugged(name)).expect("it was pulled out");
    }

    /// Makes a link to a camera, as the system does for its serial number.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn link(&self, id: &str, device: &str) {
        let link = self.folder.join("dev/v4l/by-id").join(id);
        let _ = fs::remove_file(&link);
        symlink(format!("../../{device}"), link).expect("a link");
    }

    /// Sets what the buffers hold, in the order of the names, from the next on. A camera that was
    /// pulled out has that when it is plugged in again.
    ///
    /// # Panics
    ///
    /// If they cannot be written.
    pub fn frames<B: AsRef<[u8]>>(&self, device: &str, frames: &[(&str, B)]) {
        let (made, frames_of) = (self.folder.join("new"), self.device(device).join("frames"));
        fs::create_dir_all(&made).expect("a folder");
        for (name, bytes) in frames {
            fs::write(made.join(name), bytes.as_ref()).expect("a file");
        }
        fs::remove_dir_all(&frames_of).expect("a folder");
        fs::rename(&made, frames_of).expect("a folder");
    }

    /// Writes a file of a camera, such as `busy`.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn set(&self, device: &str, file: &str, content: &str) {
        fs::write(self.device(device).join(file), content).expect("a file");
    }

    /// Removes a file of a camera.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn unset(&self, device: &str, file: &str) {
        fs::remove_file(self.device(device).join(file)).expect("it was set");
    }

    /// What was done to the cameras so far.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn log(&self) -> Vec<String> {
        match fs::read_to_string(self.folder.join("log")) {
            Ok(log) => log.lines().map(Into::into).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("the log: {error}"),
        }
    }

    fn plugged(&self, name: &str) -> PathBuf {
        self.folder.join("dev").join(name)
    }

    /// The folder of a camera, whether or not it is plugged in.
    fn device(&self, name: &str) -> PathBuf {
        let plugged = self.plugged(name);
        match plugged.exists() {
            true => plugged,
            false => self.folder.join(name),
        }
    }
}

//! Settings of webcams that several programs have.

use super::found::FoundCamera;

/// A camera of this machine, while its settings are read.
#[derive(Default)]
pub(super) struct Webcam {
    pub(super) device: Option<String>,
    /// `size=…`
    pub(super) size: Option<String>,
    pub(super) fps: Option<u16>,
    pub(super) input: Option<u32>,
    /// `name=number`
    pub(super) controls: Vec<String>,
    pub(super) rotate: u16,
    pub(super) is_mirrored: bool,
    pub(super) is_flipped: bool,
}

impl Webcam {
    /// The options of its URL.
    pub(super) fn options(&self) -> Vec<String> {
        let mut options: Vec<String> = self.size.clone().into_iter().collect();
        options.extend(self.fps.map(|fps| format!("fps={fps}")));
        options.extend(self.input.map(|input| format!("input={input}")));
        options.extend(self.controls.iter().cloned());
        options
    }

    /// Sets a control to a number. Returns whether it is one that can be written.
    pub(super) fn control(&mut self, name: &str, value: &str) -> bool {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let is_name = (1..=63).contains(&name.len()) && name.bytes().all(is_plain);
        let is_other = ["size", "fps", "input", "list"].contains(&name);
        let number = value.trim().parse::<i32>();
        match number {
            Ok(number) if is_name && !is_other && self.controls.len() < MOST_CONTROLS => {
                self.controls.push(format!("{name}={number}"));
                true
            }
            _ => false,
        }
    }

    /// Sets the keys that turn and mirror pictures.
    pub(super) fn orient(&self, camera: &mut FoundCamera) {
        // Upside down is half a turn of what is mirrored.
        let turned = match self.is_flipped {
            true => (self.rotate + 180) % 360,
            false => self.rotate,
        };
        if turned != 0 {
            camera.keys.push(("rotate", turned.to_string()));
        }
        if self.is_mirrored != self.is_flipped {
            camera.keys.push(("mirror", "true".into()));
        }
        if turned != 0 || self.is_mirrored != self.is_flipped {
            let note =
                "pictures are turned by a tag, which most viewers obey (docs/orientation.md)";
            camera.notes.push(note.into());
        }
    }
}

/// Reads a quarter of a turn.
pub(super) fn turn(text: &str) -> Option<u16> {
    match text.trim() {
        "0" => Some(0),
        "90" => Some(90),
        "180" => Some(180),
        "270" | "-90" => Some(270),
        _ => None,
    }
}

/// Whether a text says yes.
pub(super) fn is_true(text: &str) -> bool {
    ["true", "yes", "on", "1"].contains(&&*text.trim().to_ascii_lowercase())
}

const MOST_CONTROLS: usize = 64;

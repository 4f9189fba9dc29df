//! The text of `index.json`.

use crate::{clip::Clip, utc::UtcTime, zip::names::file_name};

/// Makes the lines of the frames, in order.
#[derive(Default)]
pub(super) struct IndexJson {
    /// Whether it has made a line.
    begun: bool,
    /// The run of sizes that the last frame is in.
    run: usize,
}

impl IndexJson {
    /// Returns the line of a frame, with the comma before it. Returns `None` if the frame is
    /// missing.
    pub(super) fn line(&mut self, clip: &Clip, index: usize) -> Option<String> {
        if !clip.is_present(index) {
            return None;
        }
        let comma = if self.begun { "," } else { "" };
        self.begun = true;
        let sizes = clip.sizes();
        if sizes
            .get(self.run + 1)
            .is_some_and(|run| run.first <= index)
        {
            self.run += 1;
        }
        let size = sizes[self.run];
        let frame = clip.plan.frames()[index];
        let taken = UtcTime::of_frame(&clip.plan, frame.at_us);
        Some(format!(
            "{comma}\n{{\"name\":\"{}\",\"time\":\"{}\",\"offset\":{}.{:06},\
             \"width\":{},\"height\":{},\"bytes\":{}}}",
            file_name(index, taken),
            taken.rfc3339(),
            frame.at_us / 1_000_000,
            frame.at_us % 1_000_000,
            size.width,
            size.height,
            frame.bytes,
        ))
    }
}

pub(super) fn head(clip: &Clip) -> String {
    let start = UtcTime::of_frame(&clip.plan, 0).rfc3339();
    format!("{{\"start\":\"{start}\",\"frames\":[")
}

pub(super) const END: &str = "\n]}\n";

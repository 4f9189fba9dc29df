//! What is set outside of files.

use mjpeg_manager::StreamName;

use crate::config::{
    layer::{Layer, ValueOrigin},
    schema::section::Section,
};

/// What the command line and the environment set.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) process: Layer,
    pub(crate) defaults: Layer,
    pub(crate) listen: Layer,
    pub(crate) streams: Vec<Layer>,
    pub(crate) fallbacks: Vec<FallbackFlag>,
}

impl Overrides {
    /// Says which value is out of its key's bounds, if one is.
    pub(crate) fn out_of_bounds(&self) -> Option<String> {
        let layers = [
            (Section::Process, &self.process),
            (Section::Defaults, &self.defaults),
            (Section::Listen, &self.listen),
        ];
        layers.into_iter().find_map(|(section, layer)| {
            layer.entries.iter().find_map(|(name, entry)| {
                let key = section.key(name)?;
                let origin = match &entry.origin {
                    ValueOrigin::Flag(name) | ValueOrigin::Environment(name) => name,
                    _ => name,
                };
                let is_within = key.is_within_bounds(&entry.value);
                let bounds = key.bounds().unwrap_or_default();
                (!is_within).then(|| format!("{origin}: out of bounds: {bounds}"))
            })
        })
    }
}

/// A fallback for a stream of the command line.
#[derive(Clone)]
pub(crate) struct FallbackFlag {
    pub(crate) stream: StreamName,
    /// The URL, before `${…}` in it is replaced.
    pub(crate) url: String,
    pub(crate) origin: ValueOrigin,
}

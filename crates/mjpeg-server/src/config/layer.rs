//! Values by key, with where each came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::{Serialize, de::DeserializeOwned};

/// Values of one section, by key. No `Debug`: values may hold secrets.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The keys whose values cannot be used, which was reported.
    pub(crate) broken: BTreeSet<String>,
    /// Where the section begins.
    pub(crate) place: Option<SourcePosition>,
}

/// A value as it was written, and where it came from.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) value: toml::Value,
    pub(crate) origin: ValueOrigin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueOrigin {
    BuiltIn,
    /// A file, where its value stands.
    File(SourcePosition),
    /// The flag of this name.
    Flag(String),
    /// The environment variable of this name.
    Environment(String),
    /// An option in the URL of the stream's source.
    Url,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourcePosition {
    /// Which of the files that were read.
    pub(crate) file: usize,
    /// The bytes.
    pub(crate) span: Range<usize>,
}

impl Layer {
    /// Makes a layer of built-in defaults.
    pub(crate) fn built_in<T: Serialize + Default>() -> Self {
        Self::of(&T::default(), |_| ValueOrigin::BuiltIn)
    }

    /// Makes a layer of the fields that have a value.
    ///
    /// # Panics
    ///
    /// If a field is no plain value.
    pub(crate) fn of<T: Serialize>(fields: &T, origin: impl Fn(&str) -> ValueOrigin) -> Self {
        let table = toml::Table::try_from(fields).expect("fields are plain values");
        let entries = table.into_iter().map(|(key, value)| {
            let origin = origin(&key);
            (key, Entry { value, origin })
        });
        Self {
            entries: entries.collect(),
            ..Self::default()
        }
    }

    /// Sets a value.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<toml::Value>, origin: ValueOrigin) {
        let value = value.into();
        self.entries.insert(key.into(), Entry { value, origin });
    }

    /// Adds the values of a layer above: they replace those of this one.
    pub(crate) fn under(mut self, above: &Self) -> Self {
        let above_entries = above
            .entries
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone()));
        self.entries.extend(above_entries);
        self.broken.extend(above.broken.iter().cloned());
        self.place = above.place.clone().or(self.place);
        self
    }

    /// Reads the values as the type that declares their keys; keys of other types are ignored.
    ///
    /// # Panics
    ///
    /// If a value is not of its key's type, which is checked when it enters the layer.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> T {
        let pairs = self.entries.iter();
        let table: toml::Table = pairs
            .map(|(key, entry)| (key.clone(), entry.value.clone()))
            .collect();
        table.try_into().expect("each value was checked")
    }

    /// Where a key's value came from.
    pub(crate) fn origin(&self, key: &str) -> Option<&ValueOrigin> {
        self.entries.get(key).map(|entry| &entry.origin)
    }

    /// Whether a key's value is the built-in default.
    pub(crate) fn is_built_in(&self, key: &str) -> bool {
        self.origin(key) == Some(&ValueOrigin::BuiltIn)
    }

    /// Where a key's value stands in a file; else where the section begins.
    pub(crate) fn place_of(&self, key: &str) -> Option<SourcePosition> {
        match self.origin(key) {
            Some(ValueOrigin::File(place)) => Some(place.clone()),
            Some(ValueOrigin::Flag(_) | ValueOrigin::Environment(_)) => None,
            _ => self.place.clone(),
        }
    }
}

//! The configuration: files, flags and environment, and what they mean for the libraries.
//!
//! The way of a value: `files` reads texts, `read` makes layers of them and finds errors, `resolve`
//! merges the layers into `settings`, `plan` makes the libraries' types. `keys` declares all keys;
//! `schema` derives from that what the other rooms know of them.

pub(crate) mod allowed;
pub(crate) mod demo;
pub(crate) mod edits;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod layer;
pub(crate) mod load;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod resolve;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod value;
pub(crate) mod write;

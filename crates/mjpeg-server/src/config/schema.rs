//! What is known of the keys, from their declarations.

pub(crate) mod api;
pub(crate) mod bounds;
pub(crate) mod key;
pub(crate) mod root;
pub(crate) mod section;

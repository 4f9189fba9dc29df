//! The keys of the configuration file. Each is declared once, as a field: the parser, the schema,
//! the reference and the example follow from its type, its docs, its default and its attributes.
//!
//! `x-least`, `x-most` and `x-above` bound a value, and `length` a list; `x-reload` says what a
//! reload does to viewers; `x-api` whether the API may set the key; `x-example` is shown for a key
//! without a default.

pub(crate) mod auth;
pub(crate) mod cluster;
pub(crate) mod control;
pub(crate) mod listen;
pub(crate) mod process;
pub(crate) mod stream;
pub(crate) mod webhook;

/// Applies at once, also to responses that are under way.
pub(crate) const KEEP: &str = "viewers keep their response";

/// Applies to requests that come after the reload.
const NEW: &str = "new viewers only";

/// Running viewers are asked again who they are.
const RIGHTS: &str = "within 1 s, viewers without the right end";

/// Applies when the program is started again.
const RESTART: &str = "restart";

/// The longest time: long enough to mean "no limit".
const LONGEST: &str = "3650d";

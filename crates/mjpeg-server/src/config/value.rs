//! Values of keys: how they are written, and what they mean.

pub(crate) mod choice;
pub(crate) mod limit;
pub(crate) mod listen_addr;
pub(crate) mod log_filter;
pub(crate) mod network;
pub(crate) mod placeholder;
pub(crate) mod replay;
pub(crate) mod rotation;
pub(crate) mod secret_text;
pub(crate) mod size;
pub(crate) mod source_text;
pub(crate) mod text;
pub(crate) mod time;

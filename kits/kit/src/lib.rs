//! Code shared by the kits: programs that measure or test the relay from outside.
//! `cargo xtask COMMAND` builds and starts them.
//!
//! This crate depends on no other crate of the workspace. [`flags`] and [`debian`] are files of
//! xtask. They are included here because xtask may not depend on our crates.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "unpublished: its only users are the kits, which change together with it"
)]

pub mod camera;
pub mod child;
pub mod connections;
#[path = "../../../xtask/src/debian.rs"]
pub mod debian;
#[path = "../../../xtask/src/flags.rs"]
pub mod flags;
pub mod folder;
pub mod load_report;
pub mod network;
pub mod proc;
pub mod program;
pub mod record;
pub mod relay;
pub mod wait;
pub mod workspace;

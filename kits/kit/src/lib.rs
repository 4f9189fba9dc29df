//! What the kits share. A kit is a program that measures or tests the relay from outside;
//! `cargo xtask COMMAND` builds and starts it.
//!
//! This crate depends on no other crate of the workspace. The files [`flags`] and [`debian`] are
//! xtask's own: xtask may depend on none of our crates, so the crate includes them instead.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "unpublished: its only users are the kits, which change together with it"
)]

pub mod camera;
pub mod child;
#[path = "../../../xtask/src/debian.rs"]
pub mod debian;
#[path = "../../../xtask/src/flags.rs"]
pub mod flags;
pub mod network;
pub mod proc;
pub mod program;
pub mod record;
pub mod relay;
pub mod workspace;

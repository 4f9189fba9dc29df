//! The kit has to be right before it can blame others.

mod auto_traits;
mod camera;
mod dead_end;
mod faults;
mod http_camera;
mod jpeg;
mod request;
mod viewer;
mod walk;

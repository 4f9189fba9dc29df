//! Cameras of this machine, by Video4Linux (V4L2): USB webcams and others that make JPEG images.
//!
//! The requests, structs and flags are those of the kernel's documentation, "Linux Media
//! Infrastructure userspace API, part I: Video for Linux API", and `linux/videodev2.h`.

mod about;
mod buffers;
mod camera;
mod capture;
mod controls;
mod device;
mod feed;
mod format;
mod ioctl;
mod listing;
mod opener;
mod start;

pub use about::{V4l2Control, V4l2Device, V4l2Format, V4l2Size};
pub use camera::V4l2Camera;
pub(super) use opener::{DeviceList, Opener};

//! Cameras that speak RTSP (RFC 2326) and send M-JPEG (RFC 2435), over one TCP connection.

mod camera;
mod clock;
mod coding;
mod feed;
mod inbox;
mod message;
mod requests;
mod sdp;
mod session;
mod settings;
mod wire;

pub(super) use camera::RtspCamera;

//! Tests through the public face; one binary, so that linking is paid once.

mod auto_traits;
mod check;
mod frame;
mod limits;
mod multipart;
mod properties;
mod replay;
mod streams;

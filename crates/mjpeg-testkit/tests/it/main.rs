//! Tests of the kit itself: a wrong kit would blame the code under test.

mod auto_traits;
mod camera;
mod dead_end;
mod fake_http_camera;
mod faults;
mod flaky_link;
mod jpeg;
mod request;
mod viewer;
mod walk;

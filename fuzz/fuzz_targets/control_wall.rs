#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_control::fuzzing::wall_message(data));

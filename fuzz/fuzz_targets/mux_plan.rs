#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_mux::fuzzing::mux_plan(data));

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_cluster::fuzzing::cluster_link(data));

//! Several relays that share their cameras: one of them is connected to a camera, the others read
//! it from that one, and take over when it fails.

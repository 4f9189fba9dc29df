//! Uses only mjpeg-picture: renders two frames of the test picture, which are different JPEGs.

use std::time::UNIX_EPOCH;

use mjpeg_picture::TestPicture;

fn main() -> Result<(), mjpeg_picture::Error> {
    let picture = TestPicture::new("consumer", 320, 240)?.with_quality(70)?;
    let [first, second] = [0, 1].map(|number| picture.render(number, UNIX_EPOCH));
    assert!(first.starts_with(&[0xFF, 0xD8]) && first.ends_with(&[0xFF, 0xD9]));
    assert_ne!(first, second);
    Ok(())
}

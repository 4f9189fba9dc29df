//! Draws a moving test picture with text and encodes it as JPEG.

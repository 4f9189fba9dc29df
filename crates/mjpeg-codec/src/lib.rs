//! Splits Motion-JPEG byte streams into frames by JPEG structure, without IO.

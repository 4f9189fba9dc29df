//! Hands each new Motion-JPEG frame to any number of consumers, latest frame wins.

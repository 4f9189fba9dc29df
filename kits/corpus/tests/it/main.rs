//! Runs the program itself: other programs rely on its output and exit code.

mod corpus;
mod frames;
mod program;

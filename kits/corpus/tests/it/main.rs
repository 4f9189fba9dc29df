//! Runs the program itself, because other programs rely on its output and exit code.

mod corpus;
mod frames;
mod program;

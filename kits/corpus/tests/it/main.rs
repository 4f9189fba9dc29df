//! Runs the program itself, where its output and exit code are what others build on.

mod corpus;
mod frames;
mod program;

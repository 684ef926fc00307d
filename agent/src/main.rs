//! The program: parses its arguments and calls the composition root.

fn main() {}

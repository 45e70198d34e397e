//! The program `sr-auth`.

fn main() {}

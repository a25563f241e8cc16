//! Reads the arguments, opens the door, and says what went wrong.

fn main() {}

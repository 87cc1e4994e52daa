//! The test is the file `main.rs` beside this one.

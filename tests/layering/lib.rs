//! The test is the file `main.rs` beside this one.
#![forbid(unsafe_code)]

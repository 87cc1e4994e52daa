//! The test is the file beside this one.
#![forbid(unsafe_code)]

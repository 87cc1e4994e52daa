//! The example as its user runs it.
#![forbid(unsafe_code)]

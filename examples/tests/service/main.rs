//! The service as its clients and its operator see it.
#![forbid(unsafe_code)]

#[path = "../program.rs"]
mod program;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

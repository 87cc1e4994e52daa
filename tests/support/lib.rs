//! Code that the test targets beside this crate share: each module is named after its subject.
//!
//! The README's examples run here as doctests, if all the features are enabled that they use.
#![forbid(unsafe_code)]
#![cfg_attr(
    all(feature = "axum", feature = "console", feature = "http-body", feature = "task"),
    doc = include_str!("../../README.md")
)]
#![allow(clippy::doc_markdown, reason = "the README names products as well")]
#![allow(clippy::missing_panics_doc, reason = "each function here panics to fail the test")]
#![allow(
    clippy::must_use_candidate,
    reason = "a test may call a function for its assertions alone"
)]

pub mod compiler;
#[cfg(feature = "diagnostics")]
pub mod deadlock;
pub mod figures;
pub mod http;
pub mod log;
pub mod occupancy;
pub mod polling;
pub mod programs;
pub mod random;
pub mod runtimes;
pub mod wakers;
pub mod watchdog;

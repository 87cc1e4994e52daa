//! The tests are the files beside this one. Here are the README's examples, as doctests, if all the
//! features are there that they use.
#![cfg_attr(
    all(feature = "axum", feature = "console", feature = "http-body", feature = "task"),
    doc = include_str!("../README.md")
)]
#![allow(clippy::doc_markdown, reason = "the README names products as well")]

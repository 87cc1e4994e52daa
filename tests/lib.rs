//! The tests are the files beside this one. Here are the README's examples, as doctests.
#![doc = include_str!("../README.md")]
#![allow(clippy::doc_markdown, reason = "the README names products as well")]

//! The tables for people and the JSON for programs.

mod bars;
mod contents;
mod json;
mod tables;
mod text;

pub(crate) use contents::{Report, Run};

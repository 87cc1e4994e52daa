//! The table for people and the JSON for programs.

mod contents;
mod json;
mod text;

pub(crate) use contents::Report;

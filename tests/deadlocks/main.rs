//! Deadlocks and re-entry are told of, and nothing else is (feature `diagnostics`).
//!
//! All tests share the watcher and its list, and run side by side: each looks for its own limiters.

mod beside;
mod found;
mod support;
mod told;

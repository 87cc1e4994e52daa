//! The console: its API, its access rules, and its changes.

mod api;
mod changes;
mod come_and_go;
mod hostile;
mod log;
mod nested;
mod stream;
mod support;
mod together;

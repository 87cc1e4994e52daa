//! The console: its API, who is let in, and what is changed by it.

mod api;
mod changes;
mod come_and_go;
mod hostile;
mod lists;
mod log;
mod nested;
mod stream;
mod support;
mod together;

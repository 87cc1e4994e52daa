//! The console: its API, the access to it, and the changes that it makes.

mod adapting;
mod api;
mod at_rest;
mod changes;
mod come_and_go;
#[cfg(feature = "diagnostics")]
mod deadlocks;
#[cfg(feature = "fleet")]
mod fleet;
mod hostile;
mod knob;
mod lists;
mod log;
mod nested;
mod parts;
mod proxy;
mod shutdown;
mod stream;
mod support;
mod together;

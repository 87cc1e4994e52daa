//! The console's page in a real browser: Chromium without a window, driven by chromedriver. Pictures of
//! its states are left in `target/console`.

mod adapting;
mod browser;
mod charts;
mod connection;
mod deadlocks;
mod detail;
#[cfg(feature = "config")]
mod file;
#[cfg(feature = "fleet")]
mod fleet;
mod knob;
mod log;
mod order;
mod program;
mod states;
mod strip;
mod table;
mod typed;

//! The console's page in a real browser: Chromium without a window, driven by chromedriver. Pictures of
//! its states are left in `target/console`.

mod browser;
mod connection;
mod deadlocks;
mod detail;
#[cfg(feature = "fleet")]
mod fleet;
mod knob;
mod order;
mod program;
mod states;
mod strip;
mod table;

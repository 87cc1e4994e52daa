//! The console's page in a real browser: Chromium without a window, driven by chromedriver. The
//! tests leave pictures of its states in `target/console`.

mod browser;
mod connection;
mod detail;
mod knob;
mod program;
mod states;
mod table;

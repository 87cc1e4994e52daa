//! The console's page in a real browser: Chromium without a window, driven by chromedriver. Pictures of
//! its states are left in `target/console`.

#[path = "../../alone.rs"]
mod alone;
mod browser;
mod connection;
mod detail;
mod knob;
mod program;
mod states;
mod table;

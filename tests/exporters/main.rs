//! Exporters show the figures that limiters count.
#![expect(clippy::float_cmp, reason = "counts, and sums that come from the same division")]

mod adapting;
mod alerts;
mod assets;
mod by_runtime;
#[cfg(feature = "diagnostics")]
mod deadlocked;
mod dropped;
mod facade;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "diagnostics")]
mod foreign;
mod list;
mod opentelemetry;
mod prometheus;
mod readers;
mod scraped;
mod shares;
mod support;

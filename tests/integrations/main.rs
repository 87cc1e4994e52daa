//! Refusals and limits in other crates, each behind a feature.
#![cfg(any(feature = "axum", feature = "tonic", feature = "tower"))]

#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod refusals;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;

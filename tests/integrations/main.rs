//! What other crates make of a refusal, and of a limit, each behind a feature.
#![cfg(any(feature = "axum", feature = "tonic", feature = "tower"))]

#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod refusals;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;

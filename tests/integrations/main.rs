//! What other crates make of a refusal, each behind a feature.
#![cfg(any(feature = "axum", feature = "tonic"))]

#[cfg(feature = "axum")]
mod axum;
mod refusals;
#[cfg(feature = "tonic")]
mod tonic;

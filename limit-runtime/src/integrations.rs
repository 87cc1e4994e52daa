//! What other crates make of a [`Rejected`](crate::Rejected), each behind the feature that is named
//! after it.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
mod tonic;

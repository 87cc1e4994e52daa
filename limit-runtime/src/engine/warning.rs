//! A fault in a limiter's configuration that the crate has worked around.

/// A warning, or an error if a user's setting has no effect.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Warning {
    pub(super) is_error: bool,
    pub(super) text: String,
}

impl Warning {
    /// Logs the warning. It calls foreign code, so no lock may be held.
    #[cfg(feature = "tracing")]
    pub(super) fn log(&self, limiter: &str) {
        use crate::logging::{TARGET, tell};

        tell(|| {
            if self.is_error {
                tracing::error!(target: TARGET, limiter, "{}", self.text);
            } else {
                tracing::warn!(target: TARGET, limiter, "{}", self.text);
            }
        });
    }

    #[cfg(not(feature = "tracing"))]
    pub(super) fn log(&self, _limiter: &str) {
        // The snapshot shows only the text.
        let _ = self.is_error;
    }
}

//! The cryptography behind `rediss://`.

use rustls::crypto::{CryptoProvider, ring};

/// Chooses *ring* for this process, unless the process has chosen before.
///
/// Without a choice rustls panics where several providers are built in, and it depends on the other packages of the
/// program whether they are.
pub(super) fn choose_provider() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may choose meanwhile. Then its choice counts.
        let _ = ring::default_provider().install_default();
    }
}

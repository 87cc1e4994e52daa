//! Work that keeps a CPU busy.

use std::fmt::Write;

use limit_runtime::concurrency_limit;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// The number of rounds, which take about 20 ms.
///
/// A build without optimisation has fewer rounds, because each takes many times as long.
const ROUNDS: u32 = if cfg!(debug_assertions) { 2_000 } else { 100_000 };

/// Computes a fingerprint that is slow on purpose, like the hash of a password.
///
/// At most two threads compute fingerprints, so the CPU has time for the other requests.
#[concurrency_limit(2, blocking, name = "fingerprint", max_waiting = 6, max_wait = "1s")]
pub(crate) fn fingerprint(text: String) -> Result<String, Error> {
    let mut digest = Sha256::digest(text);
    for _ in 1..ROUNDS {
        digest = Sha256::digest(digest);
    }
    let mut hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // A write into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    hex.push('\n');
    Ok(hex)
}

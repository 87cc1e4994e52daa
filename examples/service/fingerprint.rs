//! Work that keeps a CPU busy.

use std::fmt::Write;

use limit_runtime::concurrency_limit;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Some 20 ms. A build without optimisation takes many times as long for each.
const ROUNDS: u32 = if cfg!(debug_assertions) { 2_000 } else { 100_000 };

/// A fingerprint that is slow to find, as those of passwords are. Two threads at most are at it, so
/// that the others are free for what waits for nothing but them.
#[concurrency_limit(2, blocking, name = "fingerprint", max_waiting = 6, max_wait = "1s")]
pub(crate) fn fingerprint(text: String) -> Result<String, Error> {
    let mut digest = Sha256::digest(text);
    for _ in 1..ROUNDS {
        digest = Sha256::digest(digest);
    }
    let mut hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Into a string it cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    hex.push('\n');
    Ok(hex)
}

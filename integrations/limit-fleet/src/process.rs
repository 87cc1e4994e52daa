//! The name of this process in a fleet.

use std::hash::{BuildHasher, RandomState};

/// Returns host, process id and a random number, such as `web-3/4711/5f0c91d2a7b3e468`.
///
/// The random number tells two starts of a process apart that have one id, as in containers.
pub(crate) fn name() -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let host: String = host.chars().map(plain).collect();
    // `RandomState` has keys that the system draws at random.
    let number = RandomState::new().hash_one(0);
    format!("{host}/{}/{number:016x}", std::process::id())
}

/// Replaces what could be taken for a part of the name.
fn plain(char: char) -> char {
    if char.is_ascii_alphanumeric() || matches!(char, '-' | '.') { char } else { '_' }
}

//! The name of this process in a fleet.

use std::env;

/// Returns host, process id and a random number, such as `web-3/4711/5f0c91d2a7b3e468`.
///
/// The random number tells two starts of a process apart that have one id, as in containers.
pub(crate) fn name() -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' }).collect();
    let random = uuid_like();
    format!("{host}/{}/{random:016x}", std::process::id())
}

//! The limits of single keys.

use crate::setting::Source;

/// The limit that a key has in place of the limit of each. See
/// [`set_key_limit`](crate::KeyedLimiter::set_key_limit).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct KeyLimit {
    /// The key's text. For a key whose type has none, the type and a hash.
    pub key: String,
    /// `true` if the key has a text, so that a file or a page can name it.
    pub has_text: bool,
    /// The number of permits; 0 pauses the key.
    pub limit: usize,
    /// The source of the limit: a file, or a change while the program runs.
    pub source: Source,
}

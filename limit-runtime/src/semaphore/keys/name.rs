//! The texts of keys.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

/// A type of keys that have a text. Its `Display` is not the user's code: this runs under a lock.
struct Kind {
    text: fn(&dyn Any) -> Option<Cow<'_, str>>,
    /// Returns whether this is the type, and a key of it has this text.
    has_key: fn(TypeId, &str) -> bool,
}

impl Kind {
    /// A type of texts.
    const fn of_texts<T: Any + AsRef<str>>() -> Self {
        Self {
            text: |key| key.downcast_ref::<T>().map(|key| Cow::Borrowed(key.as_ref())),
            has_key: |key_type, _| key_type == TypeId::of::<T>(),
        }
    }

    const fn of<T: Any + ToString + FromStr>() -> Self {
        Self {
            text: |key| key.downcast_ref::<T>().map(|key| Cow::Owned(key.to_string())),
            has_key: |key_type, text| {
                let reads_so = |key: T| key.to_string() == text;
                key_type == TypeId::of::<T>() && text.parse().is_ok_and(reads_so)
            },
        }
    }
}

const KINDS: [Kind; 23] = [
    Kind::of_texts::<String>(),
    Kind::of_texts::<&'static str>(),
    Kind::of_texts::<Arc<str>>(),
    Kind::of_texts::<Box<str>>(),
    Kind::of_texts::<Cow<'static, str>>(),
    Kind::of::<u64>(),
    Kind::of::<u32>(),
    Kind::of::<i64>(),
    Kind::of::<i32>(),
    Kind::of::<usize>(),
    Kind::of::<u16>(),
    Kind::of::<u8>(),
    Kind::of::<u128>(),
    Kind::of::<i128>(),
    Kind::of::<isize>(),
    Kind::of::<i16>(),
    Kind::of::<i8>(),
    Kind::of::<bool>(),
    Kind::of::<char>(),
    Kind::of::<IpAddr>(),
    Kind::of::<Ipv4Addr>(),
    Kind::of::<Ipv6Addr>(),
    Kind::of::<SocketAddr>(),
];

/// Returns a key as text, if its type is one of those that have one.
pub(super) fn text(key: &dyn Any) -> Option<Cow<'_, str>> {
    KINDS.iter().find_map(|kind| (kind.text)(key))
}

/// Returns a copy of the same.
pub(crate) fn name(key: &dyn Any) -> Option<String> {
    text(key).map(Cow::into_owned)
}

/// Returns whether a key of a type can have this text.
pub(crate) fn can_be_key(key_type: TypeId, text: &str) -> bool {
    KINDS.iter().any(|kind| (kind.has_key)(key_type, text))
}

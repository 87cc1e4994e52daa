//! The names of keys.

use std::any::Any;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Returns a key as text, if its type is one of those whose `Display` is not the user's code: this
/// runs under a lock.
pub(crate) fn name(key: &dyn Any) -> Option<String> {
    fn is<T: Any + ToString>(key: &dyn Any) -> Option<String> {
        key.downcast_ref::<T>().map(ToString::to_string)
    }
    let kinds = [
        is::<String>,
        is::<&'static str>,
        is::<Arc<str>>,
        is::<Box<str>>,
        is::<Cow<'static, str>>,
        is::<u64>,
        is::<u32>,
        is::<i64>,
        is::<i32>,
        is::<usize>,
        is::<u16>,
        is::<u8>,
        is::<u128>,
        is::<i128>,
        is::<isize>,
        is::<i16>,
        is::<i8>,
        is::<bool>,
        is::<char>,
        is::<IpAddr>,
        is::<Ipv4Addr>,
        is::<Ipv6Addr>,
        is::<SocketAddr>,
    ];
    kinds.into_iter().find_map(|kind| kind(key))
}

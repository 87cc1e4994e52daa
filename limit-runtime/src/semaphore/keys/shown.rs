//! Keys, to be looked at.

use super::Keys;
use std::any::Any;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// The figures of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyFigures {
    /// The key itself if it is a text, a number or an address, else its type and its hash.
    pub(crate) name: String,
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
}

impl Keys {
    /// The keys with the most waiters and holders.
    pub(in crate::semaphore) fn busiest(&self, most: usize) -> Vec<KeyFigures> {
        let mut busy: Vec<_> = (0..)
            .zip(&self.entries)
            .filter(|(_, entry)| entry.held() > 0 || entry.waiting > 0)
            .map(|(number, entry)| (entry.waiting, entry.held(), number))
            .collect();
        if busy.len() > most {
            busy.select_nth_unstable_by(most, |one, other| other.cmp(one));
            busy.truncate(most);
        }
        busy.into_iter()
            .map(|(waiting, in_use, number): (u32, u32, u32)| {
                let entry = &self.entries[number as usize];
                let name = self.tables[entry.table].1.name(number);
                let name = name.unwrap_or_else(|of| format!("{of} #{:08x}", entry.hash >> 32));
                KeyFigures { name, in_use: in_use as usize, waiting: waiting as usize }
            })
            .collect()
    }
}

/// A key in words, if its type is one of those that need no code of the user's for it: this runs
/// under a lock.
pub(super) fn name(key: &dyn Any) -> Option<String> {
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

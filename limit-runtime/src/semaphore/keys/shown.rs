//! Keys, to be looked at.

use super::Keys;
use crate::metrics::KeyReading;
use std::any::Any;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

impl Keys {
    /// Looks among some thousands of the keys for those with the most waiters and holders, beside those
    /// that were found so far, and keeps so many. Says whether there are more to look at.
    pub(in crate::semaphore) fn busiest(
        &self,
        part: usize,
        most: usize,
        busiest: &mut Vec<KeyReading>,
    ) -> bool {
        let Some(shown) = self.entries.part(part) else { return false };
        let mut busy: Vec<_> = shown
            .map(|shown| ((shown.entry.waiting, shown.entry.held()), shown))
            .filter(|(busy, _)| *busy > (0, 0))
            .collect();
        if busy.len() > most {
            busy.select_nth_unstable_by(most, |(one, _), (other, _)| other.cmp(one));
            busy.truncate(most);
        }
        for ((waiting, in_use), shown) in busy {
            let figures = KeyReading::new(shown.name(), in_use as usize, waiting as usize);
            // It may have gone and come back since the others were looked at.
            busiest.retain(|known| known.name != figures.name);
            busiest.push(figures);
        }
        busiest.sort_by_key(|known| Reverse((known.waiting, known.in_use)));
        busiest.truncate(most);
        true
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

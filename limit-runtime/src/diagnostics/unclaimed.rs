//! Warnings about grants that are taken back, because nobody polls the calls that were handed them.

use super::watch;
use crate::logging::{self, TARGET};
use crate::recorder::slots;
use crate::unwind::quietly;
use std::collections::HashSet;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Tells of calls of one semaphore whose grants were taken back, given their slots, and a time at which each waited.
/// Tells once for each place. The caller holds no lock.
pub(super) fn tell(semaphore: usize, calls: &[(u32, Instant)]) {
    static TOLD: Mutex<Option<HashSet<Location<'static>>>> = Mutex::new(None);
    for record in slots::all() {
        let info = &record.info;
        // The slot may be another call's by now. That one began to wait later.
        let is_of = |&(slot, waited): &(u32, Instant)| {
            info.slot == Some(slot) && info.since.instant() <= waited
        };
        if info.holds || info.semaphore != semaphore || !calls.iter().any(is_of) {
            continue;
        }
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.get_or_insert_default().insert(*info.site);
        drop(told);
        if !is_news {
            continue;
        }
        let limiter = watch::limiter(info);
        // Foreign code. If it panics, the panic hook has reported that.
        quietly(|| {
            logging::tell(|| {
                tracing::warn!(
                    target: TARGET,
                    limiter = limiter.as_ref().map_or("(dropped)", |limiter| &limiter.name),
                    place = %info.site,
                    age = ?info.since.elapsed(),
                    task = record.agent.task().map(tracing::field::display),
                    "grant was taken back: the call waits, but nobody polls it"
                );
            });
        });
    }
}

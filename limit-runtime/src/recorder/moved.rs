//! Places whose permits move from one task to another.
//!
//! `let permit = LIMITER.acquire().await; spawn(async move { …; drop(permit) })` takes the permit in one task, and
//! holds it in another. A permit is only known to have moved when it is dropped. So a place that has done so once is
//! remembered.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most places that are remembered. Beyond that, all are taken for places whose permits move.
const PLACES: usize = 1024;

/// The hashes of the places, each near the index of itself. 0 is none.
static MOVED: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];
static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Returns the hash of a place (FNV-1a). Its address would not do: the compiler may make one place several times.
fn hash(place: &Location<'_>) -> usize {
    let numbers = [place.line(), place.column()].map(u32::to_ne_bytes);
    let bytes = numbers.iter().flatten().chain(place.file().as_bytes());
    let hash = bytes.fold(0x811C_9DC5_usize, |hash, &byte| {
        (hash ^ usize::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.max(1)
}

/// Returns the indices at which a hash can be, in order.
fn indices(hash: usize) -> impl Iterator<Item = usize> {
    (0..PLACES).map(move |offset| hash.wrapping_add(offset) % PLACES)
}

/// Notes that a permit of a place has moved. Relaxed: no other data depend on it.
#[cold]
pub(super) fn note(place: &'static Location<'static>) {
    let hash = hash(place);
    for index in indices(hash) {
        match MOVED[index].compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(known) if known == hash => return,
            Err(_) => {}
        }
    }
    IS_FULL.store(true, Ordering::Relaxed);
}

/// Returns whether permits of a place move.
pub(crate) fn has_moved(place: &'static Location<'static>) -> bool {
    let hash = hash(place);
    for index in indices(hash) {
        match MOVED[index].load(Ordering::Relaxed) {
            0 => break,
            known if known == hash => return true,
            _ => {}
        }
    }
    IS_FULL.load(Ordering::Relaxed)
}

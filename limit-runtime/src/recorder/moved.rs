//! Places whose permits move from one task to another.
//!
//! `let permit = LIMITER.acquire().await; spawn(async move { …; drop(permit) })` takes the permit in one task, and
//! holds it in another. A permit is only known to have moved when it is dropped. So a place that has done so once is
//! remembered.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most places that are remembered. Beyond that, all are taken for places whose permits move.
const PLACES: usize = 1024;

/// The addresses of the places, each near the index of its hash. 0 is none.
static MOVED: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];
static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Returns the indices at which a place can be, in order.
fn indices(address: usize) -> impl Iterator<Item = usize> {
    // Locations are aligned, and lie beside each other.
    let first = (address >> 3).wrapping_mul(0x9E37_79B1) >> 7;
    (0..PLACES).map(move |offset| first.wrapping_add(offset) % PLACES)
}

/// Notes that a permit of a place has moved. Relaxed: no other data depend on it.
#[cold]
pub(super) fn note(place: &'static Location<'static>) {
    let address = ptr::from_ref(place).addr();
    for index in indices(address) {
        match MOVED[index].compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(known) if known == address => return,
            Err(_) => {}
        }
    }
    IS_FULL.store(true, Ordering::Relaxed);
}

/// Returns whether permits of a place move.
pub(crate) fn has_moved(place: &'static Location<'static>) -> bool {
    let address = ptr::from_ref(place).addr();
    for index in indices(address) {
        match MOVED[index].load(Ordering::Relaxed) {
            0 => break,
            known if known == address => return true,
            _ => {}
        }
    }
    IS_FULL.load(Ordering::Relaxed)
}

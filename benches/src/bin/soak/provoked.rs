//! Panics: the soak's own ones are silent, and all others are faults.

use crate::score::{self, Fault};
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};

/// The payload of a panic that a scenario provokes.
struct Provoked;

/// Panics as a user's body or waker may. Nothing is printed.
pub(crate) fn provoke() -> ! {
    panic::panic_any(Provoked)
}

/// Runs code of the library that may call foreign code. Returns `None` if that panics on purpose,
/// and passes any other panic on.
pub(crate) fn catch<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Provoked>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Makes provoked panics silent. All others are printed as usual, and counted.
pub(crate) fn install_hook() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.payload().is::<Provoked>() {
            print(panic);
            score::fault(Fault::Panic, &format!("an unexpected {panic}"));
        }
    }));
}

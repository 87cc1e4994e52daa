//! Panics: those that the soak provokes, which are silent, and all others, which are failures.

use crate::score::{self, Fault};
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};

/// The payload of a panic that is part of a scenario.
struct Provoked;

/// Panics, as a user's body or waker may. Nothing is printed.
pub(crate) fn provoke() -> ! {
    panic::panic_any(Provoked)
}

/// Runs code of the library that may call foreign code. `None` if that has panicked on purpose; any
/// other panic goes on.
pub(crate) fn catch<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Provoked>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// From now on provoked panics are silent. Others are printed as usual, and counted.
pub(crate) fn install_hook() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.payload().is::<Provoked>() {
            print(panic);
            score::fault(Fault::Panic, &format!("an unexpected {panic}"));
        }
    }));
}

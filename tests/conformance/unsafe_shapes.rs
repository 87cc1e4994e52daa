//! `async unsafe fn`, in a file of its own: calling one is not possible under
//! `forbid(unsafe_code)`.
#![deny(warnings)]
#![allow(
    clippy::manual_async_fn,
    clippy::pedantic,
    reason = "odd shapes are what is tested; lints are compared by the diagnostics test"
)]

#[path = "support.rs"]
mod support;

use limit_runtime::concurrency_limit;

/// Adds one.
///
/// # Safety
///
/// Nothing is required; `unsafe` is what is tested.
#[concurrency_limit(3)]
async unsafe fn successor(number: u8) -> u8 {
    number + 1
}

/// Adds one, and has its output judged.
///
/// # Safety
///
/// Nothing is required; `unsafe` is what is tested.
#[concurrency_limit(..=3, overload = |output| *output > 9)]
async unsafe fn judged(number: u8) -> u8 {
    number + 1
}

struct Unsafe(u8);

impl Unsafe {
    /// # Safety
    ///
    /// The pointer must be valid for reads.
    #[concurrency_limit(3)]
    async unsafe fn read(&self, pointer: *const u8) -> u8 {
        // SAFETY: the caller promises that the pointer can be read.
        let read = unsafe { *pointer };
        self.0 + read
    }
}

/// # Safety
///
/// The address must be that of a byte that lives for ever.
#[concurrency_limit(3, blocking)]
unsafe fn read_blocking(address: usize) -> u8 {
    // SAFETY: the caller promises that the address can be read.
    unsafe { *(address as *const u8) }
}

#[test]
fn an_unsafe_function_stays_unsafe_and_returns_the_same() {
    support::run(async {
        // SAFETY: `successor` requires nothing.
        assert_eq!(unsafe { successor(1) }.await, 2);
        // SAFETY: `judged` requires nothing.
        assert_eq!(unsafe { judged(1) }.await, 2);
        let number = 2;
        // SAFETY: a reference is valid for reads.
        assert_eq!(unsafe { Unsafe(1).read(&number) }.await, 3);
        static BYTE: u8 = 4;
        let address = &BYTE as *const u8 as usize;
        // SAFETY: a static lives for ever.
        assert_eq!(unsafe { read_blocking(address) }.await, 4);
    });
}

//! The real calls and permits of a test, polled by hand.

use limit_runtime::{Permit, Rejected};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};

type Call = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

/// Calls and permits, by the numbers that the model gives them.
#[derive(Default)]
pub(super) struct Calls {
    pending: BTreeMap<u32, Call>,
    pub(super) permits: BTreeMap<u32, Permit>,
    woken: Arc<Mutex<Vec<u32>>>,
}

/// A waker that notes the call that it wakes.
struct Noted {
    call: u32,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.call);
    }
}

impl Calls {
    pub(super) fn make(
        &mut self,
        number: u32,
        call: impl Future<Output = Result<Permit, Rejected>> + 'static,
    ) {
        self.pending.insert(number, Box::pin(call));
    }

    /// Polls a call. If it ends with a permit, keeps the permit.
    pub(super) fn poll(&mut self, number: u32) -> Poll<Result<(), Rejected>> {
        let waker = Arc::new(Noted { call: number, woken: Arc::clone(&self.woken) });
        let call = self.pending.get_mut(&number).expect("the model has it too");
        call.as_mut().poll(&mut Context::from_waker(&waker.into())).map(|result| {
            self.pending.remove(&number);
            self.keep(number, result)
        })
    }

    /// Keeps the permit of a call that has ended.
    pub(super) fn keep(
        &mut self,
        number: u32,
        result: Result<Permit, Rejected>,
    ) -> Result<(), Rejected> {
        result.map(|permit| drop(self.permits.insert(number, permit)))
    }

    pub(super) fn cancel(&mut self, number: u32) {
        drop(self.pending.remove(&number));
    }

    pub(super) fn release(&mut self, number: u32) {
        drop(self.permits.remove(&number));
    }

    /// Drops all permits, and then all calls.
    pub(super) fn clear(&mut self) {
        self.permits.clear();
        self.pending.clear();
    }

    /// Takes the calls that have been woken, in order.
    pub(super) fn take_woken(&self) -> Vec<u32> {
        std::mem::take(&mut *self.woken.lock().unwrap())
    }
}

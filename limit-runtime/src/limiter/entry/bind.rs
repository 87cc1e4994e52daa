//! A semaphore that is used for the first time, and its limit.

use super::{Entry, Limit, Then, clamp};
use crate::policy::Policy;
use crate::semaphore::{Claim, Semaphore, Waiter};
use crate::unwind::run_all_then_resume_panic;
use std::cell::RefCell;
use std::task::Waker;

thread_local! {
    /// The indices of the limiters whose limit this thread is finding out.
    static FINDING_OUT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether this thread is finding a limit out.
fn is_finding_out() -> bool {
    FINDING_OUT.try_with(|indices| !indices.borrow().is_empty()).unwrap_or(false)
}

impl Entry {
    /// Binds a semaphore to the limit. A user's expression is evaluated under no lock, and while one
    /// caller does so others wait for it, if they have a waker to wait with.
    pub(in crate::limiter) fn bind(
        &self,
        semaphore: &'static Semaphore,
        policy: &Policy,
        weight: u32,
        waker: Option<&Waker>,
    ) -> Option<Waiter> {
        /// Hands the claim back if the expression panics.
        struct Unclaim<'a>(&'a Semaphore);
        impl Drop for Unclaim<'_> {
            fn drop(&mut self) {
                self.0.unclaim();
            }
        }

        // Who is finding a limit out does not wait for another who is: that one may wait for this.
        let waker = waker.filter(|_| !is_finding_out());
        let mut found = None;
        // Under this lock, so that a limit set at the same time is either seen here or finds the
        // semaphore bound; so is one that is taken back, after which there may be one to find out.
        let (mut control, limit) = loop {
            let control = self.control();
            match (self.effective_limit(&control.overrides).or(found), self.limit) {
                (Some(limit), _) => break (control, limit),
                (None, Limit::Fixed(limit)) => break (control, clamp(limit)),
                (None, Limit::Lazy(limit)) => {
                    drop(control);
                    // Also before it waits for another to do so.
                    self.assert_not_finding_out();
                    let unclaim = match semaphore.claim(weight, waker) {
                        Claim::Bound => return None,
                        Claim::Theirs(Some(waiter)) => return Some(waiter),
                        Claim::Theirs(None) => None,
                        Claim::Ours => Some(Unclaim(semaphore)),
                    };
                    found = Some(clamp(self.find_out(limit)));
                    std::mem::forget(unclaim);
                }
            }
        };
        let overrides = control.overrides;
        // Who does not listen any more does not cost anything any more.
        control.listeners.take_if(|listeners| listeners.receiver_count() == 0);
        let (total, listeners) = (control.total.or(policy.total), control.listeners.clone());
        let policy = &overrides.policy(policy);
        // If somebody else has been quicker, what that one has found out holds, and not this.
        let wakers = semaphore.bind(policy, limit, total, control.closed, listeners)?;
        control.found.put(semaphore, found);
        let found_zero = self.effective_limit(&overrides).is_none() && control.is_zero_news(limit);
        control.bound = Some(limit);
        let bad_variable = control.bad_variable.take();
        drop(control);
        run_all_then_resume_panic([Then::Wake(wakers), Then::Serve(semaphore)], Then::happen);
        if let Some(problem) = bad_variable {
            self.note(true, format!("{problem}; the limit is {limit} instead"));
        }
        if found_zero {
            self.note_zero();
        }
        self.log();
        None
    }

    pub(super) fn note_zero(&self) {
        self.note(false, "the limit is 0: every call waits until it is raised".to_owned());
    }

    pub(super) fn find_out(&self, limit: fn() -> usize) -> usize {
        /// Done, also if it panics.
        struct Done;
        impl Drop for Done {
            fn drop(&mut self) {
                let _ = FINDING_OUT.try_with(|indices| indices.borrow_mut().pop());
            }
        }

        self.assert_not_finding_out();
        // Not to be had while the thread's locals are dropped. Then there is no check.
        let _ = FINDING_OUT.try_with(|indices| indices.borrow_mut().push(self.index));
        let _done = Done;
        limit()
    }

    /// Whoever waited for a limit while finding it out would wait for ever.
    ///
    /// # Panics
    ///
    /// If this thread is finding out this limiter's limit.
    pub(in crate::limiter) fn assert_not_finding_out(&self) {
        let finding_out = FINDING_OUT.try_with(|indices| indices.borrow().contains(&self.index));
        assert!(
            !finding_out.unwrap_or(false),
            "the limit of concurrency limiter `{}` is found out by an expression that uses the \
             limiter itself",
            self.name
        );
    }
}

//! A call at a limiter, watched from its first poll until its permit is back.

use crate::account::{Account, End, Live};
use crate::ledger::{Entering, Ticket};
use crate::limiter::AnyLimiter;
use crate::provoked::catch;
use crate::request::{Request, Scope};
use limit_runtime::{Permit, Rejected};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// A future that takes permits of a limiter and keeps its account. Dropping it cancels the call.
pub(crate) struct Call {
    request: Request,
    scope: Scope,
    acquire: Option<Acquire>,
    polled: bool,
    /// The number of changes that had returned when the last poll began that returned `Pending`.
    since: usize,
    /// The call's number in the ledger, while it waits.
    waits: Option<u64>,
    /// The last field, so that it is dropped after the call.
    live: Live,
}

type Acquire = Pin<Box<dyn Future<Output = Result<Permit, Rejected>> + Send>>;

/// The result of a call: its permit, or the reason why it has none.
pub(crate) type Outcome = Result<Held, End>;

impl Call {
    pub(crate) fn new(
        limiter: &Arc<AnyLimiter>,
        account: &Arc<Account>,
        scope: Scope,
        request: Request,
    ) -> Self {
        let acquire: Acquire = Box::pin(Arc::clone(limiter).acquire(request.clone()));
        let live = Live::new(account);
        Self { request, scope, acquire: Some(acquire), polled: false, since: 0, waits: None, live }
    }

    /// Returns `true` if the call itself limits its wait.
    pub(crate) fn has_deadline(&self) -> bool {
        self.request.max_wait.is_some()
    }

    /// Ends the call: takes it out of the ledger's waiters and drops it.
    fn end(&mut self, end: End) {
        if let Some(number) = self.waits.take() {
            self.live.account().ledger.waits_no_longer(number);
        }
        let acquire = self.acquire.take();
        // The call leaves a queue, which wakes others, whose wakers may panic.
        catch(|| drop(acquire));
        if self.polled {
            self.live.account().count_end(end);
        }
    }
}

impl Future for Call {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let account = this.live.account();
        let acquire = this.acquire.as_mut().expect("a call is not polled after it was ready");
        let (moment, began) = (account.ledger.moment(), Instant::now());
        if !this.polled {
            account.count_made();
            this.polled = true;
            this.since = moment;
        }
        match catch(|| acquire.as_mut().poll(context)) {
            None => {
                this.end(End::Panicked);
                Poll::Ready(Err(End::Panicked))
            }
            Some(Poll::Pending) => {
                this.since = moment;
                if this.waits.is_none() {
                    this.waits = Some(account.ledger.waits(&this.request, this.scope));
                }
                Poll::Pending
            }
            Some(Poll::Ready(Err(rejected))) => {
                let end = End::Refused(rejected.kind());
                this.end(end);
                Poll::Ready(Err(end))
            }
            Some(Poll::Ready(Ok(permit))) => {
                let (request, scope, since) = (this.request.clone(), this.scope, this.since);
                let entering = Entering { request, scope, since, began };
                let held = Held::new(permit, &this.live, &entering);
                this.end(End::Admitted);
                Poll::Ready(Ok(held))
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.acquire.is_some() {
            self.end(End::Cancelled);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A permit, and its entry in the ledger.
#[derive(Debug)]
pub(crate) struct Held {
    ticket: Option<Ticket>,
    permit: Option<Permit>,
    /// The last field, so that it is dropped after the permit.
    live: Live,
}

impl Held {
    pub(crate) fn new(permit: Permit, live: &Live, entering: &Entering) -> Self {
        let ticket = live.account().ledger.enter(entering);
        Self { ticket, permit: Some(permit), live: live.clone() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.live.account().ledger.leave(&ticket);
        }
        let permit = self.permit.take();
        // The release wakes the next waiter. That waker may panic, also while a body's panic
        // unwinds.
        catch(|| drop(permit));
    }
}

//! The task of one ledger: it lets the node decide, and does what the node says.
//!
//! [`Node`] is the protocol, without a clock and without a connection. This task gives it the time, the load of
//! the limiter, and the answers; and it gives the limiter the allowance of the node.

use super::figures::SharedFigures;
use super::inbox::{Inbox, Stop};
use super::outage::Contact;
use super::plan::Plan;
use super::warnings::Warnings;
use crate::logging;
use crate::message::{Answer, NodeId, Push, Renewal, Times, Verdict};
use crate::node::{Allowance, Load, Node};
use crate::{LeaseStore, LedgerName, StoreError, StoreErrorKind};
use futures_util::FutureExt;
use limit_runtime::OnUnavailable;
use limit_runtime::fleet::{self, Lease};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// The task of one ledger, before it runs.
pub(super) struct LedgerTask<S> {
    pub(super) store: Arc<S>,
    pub(super) plan: Arc<Plan>,
    pub(super) figures: Arc<SharedFigures>,
    pub(super) identity: NodeId,
    pub(super) name: LedgerName,
    pub(super) inbox: Inbox,
    pub(super) pushes: mpsc::Receiver<Push>,
    pub(super) stop: watch::Receiver<Stop>,
    pub(super) lease: Lease,
    /// `true` if a call was refused since the last message. A look at the limiter forgets that, and the task looks
    /// more often than it speaks.
    pub(super) refused: bool,
    pub(super) warnings: Warnings,
    pub(super) contact: Contact,
    /// `true` if the last answer said that the ledger learns.
    pub(super) learns: bool,
}

/// The time between two looks at the calls that run while the task waits for their end. Nobody passes wakes on then.
const LOOK: Duration = Duration::from_millis(20);

/// The number of wakers that may panic in one call of the limiter.
const PANICS: usize = 1000;

/// The state of the limiter, as this task has told it last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// A share with a deadline.
    Leased(Allowance),
    /// No share.
    Nothing,
    /// No share, and the store cannot be reached. The process has so many permits of its own.
    CutOff(u32),
}

impl Told {
    fn deadline(self) -> Option<u64> {
        match self {
            Self::Leased(allowance) => Some(allowance.deadline),
            Self::Nothing | Self::CutOff(_) => None,
        }
    }
}

fn now() -> u64 {
    micros(fleet::now())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("no machine is up for 500,000 years")
}

impl<S: LeaseStore> LedgerTask<S> {
    /// Runs until the fleet stops, the limiter is dropped, or the ledger of a key is not needed any more.
    pub(super) async fn run(mut self) {
        let mut node = Node::new(self.identity.clone(), self.plan.times, self.limit())
            .with_refresh(self.plan.refresh)
            .with_margin(self.plan.margin);
        let mut told = Told::Nothing;
        loop {
            let stop = *self.stop.borrow();
            if stop != Stop::No {
                return self.leave(&mut node, stop).await;
            }
            if self.lease.limiter().is_dropped() {
                self.give_back(&mut node).await;
                return;
            }
            // Cleared before the look: a wake that comes later leads to another look.
            self.inbox.woken.store(false, Ordering::Release);
            node.set_limit(self.limit());
            let load = self.load();
            self.tell(&node, &mut told);
            let due = node.speaks_at(now(), load);
            if due.is_none() {
                node.forget_fleet(now());
            }
            self.show(&node, told);
            if due.is_some_and(|due| due <= now()) {
                self.speak(&mut node, &mut told).await;
                continue;
            }
            if due.is_none() {
                self.contact.forget();
            }
            // The ledger has nothing of a node that never speaks again by itself.
            if due.is_none() && shield(|| self.lease.release()) {
                return;
            }
            self.wait(&mut node, due, load, told).await;
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self, node: &mut Node, due: Option<u64>, load: Load, told: Told) {
        // A wake costs a look at the limiter, and under load calls come all the time. So the task
        // listens only if one call more or less would change when the node speaks. It is woken of a call that
        // waits: then the permits that are free now have been taken.
        let permits = node.allowance(now()).permits;
        let more = Load {
            running: load.running.max(permits),
            waiting: load.waiting.saturating_add(1),
            ..load
        };
        let fewer = Load { running: load.running.saturating_sub(1), ..load };
        let would_change = [more, fewer].into_iter().any(|load| node.speaks_at(now(), load) != due);
        let until = due.into_iter().chain(told.deadline()).min();
        tokio::select! {
            biased;
            _ = self.stop.changed() => {}
            Some(push) = self.pushes.recv() => {
                node.push(now(), &push);
            }
            () = self.inbox.wake.notified(), if would_change => {}
            () = self.inbox.look.notified() => {}
            () = until_moment(until) => {}
        }
    }

    /// Sends one message, and takes the answer.
    async fn speak(&mut self, node: &mut Node, told: &mut Told) {
        for is_last in [false, true] {
            let load = self.load();
            let draft = node.begin(now(), load);
            // The limiter is lowered before its load is read: what the message says holds from then on.
            // A message does not claim permits of the process's own, so it does not take them away either.
            let own = if let Told::CutOff(permits) = *told { permits } else { 0 };
            let load = self.lower(draft.lower_to.max(own));
            let renewal = node.message(draft, load);
            self.refused = false;
            let result = self.renew(&renewal, node, told).await;
            let asks_for_script = match result {
                Some(Ok(answer)) => {
                    node.answer(now(), &answer);
                    if node.awaits_answer() {
                        // It answers another message. A store that is made well does not do that.
                        node.give_up(now());
                    }
                    self.hear(node, &answer);
                    false
                }
                Some(Err(error)) => {
                    node.give_up(now());
                    error.kind() == StoreErrorKind::NoScript
                }
                // The fleet stops.
                None => {
                    node.give_up(now());
                    false
                }
            };
            // The server has executed nothing, and the store sends the script next time. That is a new
            // attempt, with a number and a start of its own.
            if is_last || !asks_for_script {
                break;
            }
        }
    }

    /// Waits for the answer to a message. Meanwhile ends the lease when its time is over. Returns `None` if the
    /// fleet stops.
    async fn renew(
        &mut self,
        renewal: &Renewal,
        node: &mut Node,
        told: &mut Told,
    ) -> Option<Result<Answer, StoreError>> {
        let store = Arc::clone(&self.store);
        let (name, times) = (self.name.clone(), self.plan.times);
        let mut answer = pin!(send(&*store, &name, &times, renewal));
        let sent = tokio::time::Instant::now();
        let result = loop {
            tokio::select! {
                biased;
                _ = self.stop.changed() => return None,
                answer = &mut answer => break answer,
                Some(push) = self.pushes.recv() => {
                    node.push(now(), &push);
                }
                () = until_moment(told.deadline()) => self.tell(node, told),
            }
        };
        self.contact.note(&result);
        self.note(&result, sent.elapsed());
        Some(result)
    }

    /// Warns of what an answer has told.
    fn hear(&mut self, node: &Node, answer: &Answer) {
        let now = now();
        self.warnings.update(now, &node.figures(now), &self.plan.times);
        if answer.verdict == Verdict::Accepted {
            let learned = std::mem::replace(&mut self.learns, answer.learning);
            if answer.learning && !learned {
                logging::tell_learning(&self.name);
            }
        }
    }

    /// Tells the limiter what the node may let in.
    fn tell(&self, node: &Node, told: &mut Told) {
        let now = now();
        let allowance = node.allowance(now);
        let is = if now < allowance.deadline {
            Told::Leased(allowance)
        } else if node.figures(now).failures > 0 {
            Told::CutOff(self.permits_of_its_own())
        } else {
            Told::Nothing
        };
        if std::mem::replace(told, is) == is {
            return;
        }
        // First: a call that is let in finds the figures of its lease.
        self.show(node, *told);
        match is {
            Told::Leased(Allowance { permits, deadline, token }) => {
                shield(|| self.lease.set_unavailable(false));
                shield(|| self.lease.grant(permits, Duration::from_micros(deadline), token));
            }
            Told::Nothing => {
                shield(|| self.lease.lapse());
                shield(|| self.lease.set_unavailable(false));
            }
            Told::CutOff(permits) => {
                shield(|| self.lease.lapse());
                match self.on_unavailable() {
                    OnUnavailable::Local(_) => shield(|| self.lease.allow(permits)),
                    // It has no effect on a limiter whose calls cannot be refused: they wait.
                    OnUnavailable::Refuse => shield(|| self.lease.set_unavailable(true)),
                    _ => {}
                }
            }
        }
    }

    fn on_unavailable(&self) -> OnUnavailable {
        let otherwise = self.plan.on_unavailable.unwrap_or(OnUnavailable::Refuse);
        self.lease.limiter().on_unavailable().unwrap_or(otherwise)
    }

    /// Returns the permits that the limiter has without a lease. They are no more than its limit: one setting for
    /// all limiters must not let two calls in where the limit is 1.
    fn permits_of_its_own(&self) -> u32 {
        match self.on_unavailable() {
            OnUnavailable::Local(permits) => permits.min(self.limit()),
            _ => 0,
        }
    }

    /// Notes what became of a message.
    fn note(&self, result: &Result<Answer, StoreError>, took: Duration) {
        self.figures.set(|figures| {
            let renewals = &mut figures.renewals;
            match result {
                Ok(Answer { verdict: Verdict::Accepted, .. }) => renewals.granted += 1,
                Ok(_) => renewals.refused += 1,
                // The next attempt brings the script.
                Err(error) if error.kind() == StoreErrorKind::NoScript => {}
                Err(_) => renewals.failed += 1,
            }
            if result.is_ok() {
                figures.store_time = took;
            }
        });
    }

    /// Shows what the node knows.
    fn show(&self, node: &Node, told: Told) {
        let is = node.figures(now());
        self.figures.set_deadline(told.deadline().map(Duration::from_micros));
        self.figures.set(|figures| {
            figures.share = is.share as usize;
            figures.target = is.target as usize;
            figures.want = is.want as usize;
            figures.limit = is.limit.unwrap_or(is.own_limit) as usize;
            figures.limit_here = is.own_limit as usize;
            figures.in_use = is.in_use as usize;
            figures.nodes = is.nodes as usize;
            figures.queued = is.queued as usize;
            figures.learning = is.learning;
        });
    }

    /// Gives the share back: what calls do not use at once, and the rest when they end, if the task waits for that.
    async fn leave(&mut self, node: &mut Node, stop: Stop) {
        // From the next message on the share is what running calls use. Their lease goes on.
        shield(|| self.lease.set_unavailable(true));
        loop {
            let running = self.give_back(node).await;
            if running == 0 || stop == Stop::Now {
                return;
            }
            while self.load().running >= running {
                sleep(LOOK).await;
            }
        }
    }

    /// Sends a message that gives back what calls do not use. Returns the number of calls that run.
    async fn give_back(&mut self, node: &mut Node) -> u32 {
        let mut running = 0;
        // Twice if the server does not have the script.
        for _ in 0..2 {
            let draft = node.leave(now());
            let load = self.lower(draft.lower_to);
            running = load.running;
            let renewal = node.message(draft, load);
            let result = send(&*self.store, &self.name, &self.plan.times, &renewal).await;
            // Without an answer the ledger takes the share back when its lease is over.
            if !result.is_err_and(|error| error.kind() == StoreErrorKind::NoScript) {
                break;
            }
        }
        running
    }

    fn limit(&self) -> u32 {
        self.lease.limit().map_or(0, |limit| u32::try_from(limit).unwrap_or(u32::MAX))
    }

    fn load(&mut self) -> Load {
        let load = shield(|| self.lease.load());
        self.with_refused(load)
    }

    fn lower(&mut self, most: u32) -> Load {
        let load = shield(|| self.lease.lower(most));
        self.with_refused(load)
    }

    fn with_refused(&mut self, load: fleet::Load) -> Load {
        self.refused |= load.refused;
        Load { running: load.running, waiting: load.waiting, refused: self.refused }
    }
}

/// Calls the limiter, which wakes callers. A waker is foreign code, and its panic must not end the lease of all other
/// calls. The limiter has done the rest of its work then, and does not know the waker any more. So the call is made
/// again, for its result.
fn shield<T>(mut call: impl FnMut() -> T) -> T {
    // Bounded: a panic that comes each time is no waker's.
    for _ in 0..PANICS {
        if let Ok(result) = panic::catch_unwind(AssertUnwindSafe(&mut call)) {
            return result;
        }
    }
    call()
}

/// Sends a message. A store of the user's may panic, or may never answer: both are no answer.
async fn send<S: LeaseStore>(
    store: &S,
    name: &LedgerName,
    times: &Times,
    renewal: &Renewal,
) -> Result<Answer, StoreError> {
    // The store itself gives up much earlier. After this time the answer would be of no use.
    let limit = Duration::from_micros(times.ttl);
    let answer = AssertUnwindSafe(async { store.renew(name, times, renewal).await });
    match timeout(limit, answer.catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(StoreError::new(StoreErrorKind::Other, "the store has panicked")),
        Err(_) => {
            let message = format!("the store did not answer within {limit:?}");
            Err(StoreError::new(StoreErrorKind::TimedOut, message))
        }
    }
}

/// Waits until a moment of the clock that counts suspension. A suspension makes it late: see `ClockSteps`.
async fn until_moment(moment: Option<u64>) {
    match moment {
        Some(moment) => sleep(Duration::from_micros(moment.saturating_sub(now()))).await,
        None => std::future::pending().await,
    }
}

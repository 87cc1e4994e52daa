//! The task of one ledger: it lets the node decide, and does what the node says.
//!
//! [`Node`] is the protocol, without a clock and without a connection. This task gives it the time, the load of
//! the limiter, and the answers; and it gives the limiter the allowance of the node.

use super::driver::{Inbox, Plan};
use super::figures::SharedFigures;
use crate::message::{Answer, NodeId, Push, Renewal};
use crate::name::LedgerName;
use crate::node::{Allowance, Load, Node};
use crate::store::LeaseStore;
use crate::{StoreError, StoreErrorKind};
use limit_runtime::OnUnavailable;
use limit_runtime::fleet::{self, Lease};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// The task of one ledger, before it runs.
pub(super) struct LedgerTask<S> {
    pub(super) store: Arc<S>,
    pub(super) plan: Arc<Plan>,
    pub(super) figures: Arc<SharedFigures>,
    pub(super) process: String,
    pub(super) identities: Arc<AtomicU64>,
    pub(super) name: LedgerName,
    pub(super) inbox: Inbox,
    pub(super) pushes: mpsc::Receiver<Push>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) lease: Lease,
}

/// The state of the limiter, as this task has told it last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// A share with a deadline.
    Leased(Allowance),
    /// No share.
    Nothing,
    /// No share, and the store cannot be reached.
    CutOff,
}

fn now() -> u64 {
    micros(fleet::now())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("no machine is up for 500,000 years")
}

impl<S: LeaseStore> LedgerTask<S> {
    /// Runs until the fleet stops, or until the ledger of a key is not needed any more.
    pub(super) async fn run(mut self) {
        let identity = self.new_identity();
        let mut node = Node::new(identity, self.plan.times, self.plan.refresh, self.plan.margin);
        let mut told = Told::Nothing;
        loop {
            if *self.stop.borrow() {
                return self.leave(&mut node).await;
            }
            // Cleared before the look: a wake that comes later leads to another look.
            self.inbox.woken.store(false, Ordering::Release);
            node.set_limit(self.limit());
            let load = self.load();
            self.tell(&node, &mut told);
            let due = node.speaks_at(now(), load);
            if due.is_some_and(|due| due <= now()) {
                self.speak(&mut node, &mut told).await;
                continue;
            }
            // A node that has nothing, wants nothing and has said so is not in the ledger.
            if due.is_none() && self.lease.key().is_some() && self.lease.release() {
                return;
            }
            self.wait(&mut node, due, load, told).await;
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self, node: &mut Node, due: Option<u64>, load: Load, told: Told) {
        // A wake costs a look at the limiter, and under load calls come all the time. So the task
        // listens only if one call more or less would change what it does.
        let more = Load { waiting: load.waiting.saturating_add(1), ..load };
        let fewer = Load { running: load.running.saturating_sub(1), ..load };
        let listens = [more, fewer].into_iter().any(|load| node.speaks_at(now(), load) != due);
        let deadline = match told {
            Told::Leased(allowance) => Some(allowance.deadline),
            Told::Nothing | Told::CutOff => None,
        };
        let until = due.into_iter().chain(deadline).min();
        tokio::select! {
            biased;
            _ = self.stop.changed() => {}
            Some(push) = self.pushes.recv() => node.push(now(), &push),
            () = self.inbox.wake.notified(), if listens => {}
            () = until_moment(until) => {}
        }
    }

    /// Sends one message, and takes the answer.
    async fn speak(&mut self, node: &mut Node, told: &mut Told) {
        let mut tries = 0;
        loop {
            let draft = node.begin(now(), self.load());
            // The limiter is lowered before its load is read: what the message claims and says holds from
            // then on.
            let load = self.lower(draft.lower_to);
            let renewal = node.message(draft, load);
            let began = tokio::time::Instant::now();
            let result = self.renew(&renewal, node, told).await;
            self.note(&result, began.elapsed(), load);
            match result {
                Some(Ok(answer)) => node.answer(now(), &answer),
                Some(Err(error)) => {
                    node.give_up(now());
                    // The server has executed nothing, and now knows that it lacks the script. This is a new
                    // attempt, with a number of its own.
                    if error.kind() == StoreErrorKind::NoScript && tries == 0 {
                        tries += 1;
                        continue;
                    }
                }
                // The fleet stops.
                None => node.give_up(now()),
            }
            if node.needs_identity() {
                node.set_identity(self.new_identity());
            }
            return self.tell(node, told);
        }
    }

    /// Waits for the answer to a message. Meanwhile ends the lease if its time is over. Returns `None` if the
    /// fleet stops.
    async fn renew(
        &mut self,
        renewal: &Renewal,
        node: &mut Node,
        told: &mut Told,
    ) -> Option<Result<Answer, StoreError>> {
        let store = Arc::clone(&self.store);
        let (name, times) = (self.name.clone(), self.plan.times);
        let mut answer = pin!(store.renew(&name, &times, renewal));
        loop {
            let deadline = match *told {
                Told::Leased(allowance) => Some(allowance.deadline),
                Told::Nothing | Told::CutOff => None,
            };
            tokio::select! {
                biased;
                _ = self.stop.changed() => return None,
                answer = &mut answer => return Some(answer),
                () = until_moment(deadline) => self.tell(node, told),
            }
        }
    }

    /// Tells the limiter what the node may let in.
    fn tell(&self, node: &Node, told: &mut Told) {
        let allowance = node.allowance(now());
        let is = if allowance.deadline > now() {
            Told::Leased(allowance)
        } else if node.is_cut_off() {
            Told::CutOff
        } else {
            Told::Nothing
        };
        let was = std::mem::replace(told, is);
        if was == is {
            return;
        }
        match is {
            Told::Leased(Allowance { permits, deadline, token }) => {
                self.lease.set_unavailable(false);
                self.lease.grant(permits, Duration::from_micros(deadline), token);
            }
            Told::Nothing => {
                self.lease.set_unavailable(false);
                self.lease.lapse();
            }
            Told::CutOff => {
                self.lease.lapse();
                match self.on_unavailable() {
                    OnUnavailable::Local(permits) => self.lease.allow(permits),
                    OnUnavailable::Refuse => self.lease.set_unavailable(true),
                    _ => {}
                }
            }
        }
    }

    /// Gives the share back, once.
    async fn leave(&mut self, node: &mut Node) {
        let load = self.lower(0);
        if let Some(renewal) = node.leave(now(), load) {
            let _lost = self.store.renew(&self.name, &self.plan.times, &renewal).await;
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

//! Starts a task for each ledger, and passes on what they are told.

use super::figures::{Board, SharedFigures};
use super::inbox::{Inbox, Stop};
use super::ledger_task::LedgerTask;
use super::outage::{Contact, Outage};
use super::plan::Plan;
use super::warnings::Warnings;
use crate::clock_steps::ClockSteps;
use crate::message::{NodeId, Push};
use crate::{LeaseStore, LedgerName};
use futures_util::{StreamExt, stream};
use limit_runtime::LimiterHandle;
use limit_runtime::fleet::Lease;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::{Id, JoinHandle, JoinSet};

/// The time between two looks at the clocks, and at the members of ledgers that somebody watches.
const LOOK: Duration = Duration::from_secs(1);

/// The longest time for which the end of a fleet waits for the store, and for calls that run.
pub(super) const GIVE_BACK: Duration = Duration::from_secs(1);

/// The most wakes that are handled together.
const WAKES: usize = 100_000;

/// The ledgers whose members are asked for at the same time.
const TOGETHER: usize = 8;

/// A ledger's local side: the limiter's name in this process, and the key.
type LeaseKey = (String, Option<String>);

/// The driver's record of a task.
struct Side {
    task: Id,
    limiter: LimiterHandle,
    name: LedgerName,
    inbox: Inbox,
    figures: Arc<SharedFigures>,
    /// The limit that this process wanted at the last wake.
    limit: Option<usize>,
}

pub(super) struct Driver<S> {
    store: Arc<S>,
    plan: Arc<Plan>,
    process: String,
    board: Arc<Board>,
    outage: Arc<Outage>,
    /// The nodes that this process has had. Each has a number of its own.
    nodes: u64,
    ledgers: HashMap<LeaseKey, Side>,
    /// The local sides of a ledger: more than one if limiters of this process have one name.
    sides: HashMap<LedgerName, Vec<LeaseKey>>,
    tasks: JoinSet<()>,
    keys: HashMap<Id, LeaseKey>,
    /// The task that asks for members.
    reader: Option<JoinHandle<()>>,
    stop: watch::Sender<Stop>,
}

impl<S: LeaseStore> Driver<S> {
    pub(super) fn new(store: Arc<S>, plan: Plan, process: String, board: Arc<Board>) -> Self {
        Self {
            store,
            plan: Arc::new(plan),
            process,
            board,
            outage: Arc::default(),
            nodes: 0,
            ledgers: HashMap::new(),
            sides: HashMap::new(),
            tasks: JoinSet::new(),
            keys: HashMap::new(),
            reader: None,
            stop: watch::Sender::new(Stop::No),
        }
    }

    pub(super) async fn drive(
        mut self,
        mut woken: tokio::sync::mpsc::UnboundedReceiver<LimiterHandle>,
        mut pushes: tokio::sync::mpsc::Receiver<(LedgerName, Push)>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let mut clocks = ClockSteps::new();
        let mut wakes = Vec::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stop = loop {
            tokio::select! {
                biased;
                // A fleet that is dropped blocks its thread, on which the calls may run.
                is_awaited = &mut stopped => break if is_awaited.is_ok() { Stop::AfterCalls } else { Stop::Now },
                Some((ledger, push)) = pushes.recv() => self.deliver(&ledger, &push),
                1.. = woken.recv_many(&mut wakes, WAKES) => self.wake_all(&mut wakes),
                Some(ended) = self.tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
                    self.forget(id);
                }
                _ = look.tick(), if !self.ledgers.is_empty() => {
                    // If the machine was suspended, timers do not count that.
                    let has_stepped = clocks.has_stepped();
                    // The task of a dropped limiter ends when it has given the share back.
                    let concerns = |side: &&Side| has_stepped || side.limiter.is_dropped();
                    self.ledgers.values().filter(concerns).for_each(|side| side.inbox.look());
                    self.look_at_members();
                }
            }
        };
        self.stop.send_replace(stop);
        let leave = async { while self.tasks.join_next().await.is_some() {} };
        // A store that does not answer gets the shares back when the leases are over.
        let _in_time = tokio::time::timeout(GIVE_BACK * 9 / 10, leave).await;
    }

    /// Wakes the ledgers of each limiter once. Each key wakes its limiter, and each wake looks at all keys with news.
    fn wake_all(&mut self, wakes: &mut Vec<LimiterHandle>) {
        let mut seen = HashSet::new();
        for limiter in wakes.drain(..).filter(|limiter| !limiter.is_dropped()) {
            if seen.insert(limiter.name().to_owned()) {
                self.wake(&limiter);
            }
        }
    }

    /// Starts tasks for the ledgers of a limiter that have none, and wakes the others.
    fn wake(&mut self, limiter: &LimiterHandle) {
        for lease in limiter.leases_with_news() {
            let key = (limiter.name().to_owned(), lease.key().map(ToOwned::to_owned));
            match self.ledgers.get_mut(&key) {
                Some(side) if !side.limiter.is_dropped() => {
                    side.inbox.wake();
                    let limit = lease.limit();
                    if std::mem::replace(&mut side.limit, limit) != limit {
                        side.inbox.look();
                    }
                }
                Some(side) => {
                    // Another limiter has the name now. The task of the former gives its share back by itself.
                    side.inbox.look();
                    let task = side.task;
                    self.forget(task);
                    self.begin(key, lease);
                }
                None => self.begin(key, lease),
            }
        }
    }

    fn begin(&mut self, key: LeaseKey, lease: Lease) {
        let (push, pushes) = tokio::sync::mpsc::channel(16);
        let inbox = Inbox {
            wake: Arc::default(),
            look: Arc::default(),
            woken: Arc::default(),
            pushes: push,
        };
        let whole = LedgerName::new(&*self.plan.namespace, lease.name());
        let name = match lease.key() {
            Some(key) => whole.with_key(key),
            None => whole,
        };
        self.nodes += 1;
        let limiter = lease.limiter().clone();
        let limit = lease.limit();
        let figures = self.board.add(&key.0, key.1.as_deref());
        let task = LedgerTask {
            store: Arc::clone(&self.store),
            plan: Arc::clone(&self.plan),
            figures: Arc::clone(&figures),
            identity: NodeId(format!("{}#{}", self.process, self.nodes)),
            name: name.clone(),
            inbox: inbox.clone(),
            pushes,
            stop: self.stop.subscribe(),
            warnings: Warnings::new(lease.clone()),
            lease,
            refused: false,
            contact: Contact::new(Arc::clone(&self.outage)),
            learns: false,
        };
        let task = self.tasks.spawn(task.run()).id();
        self.keys.insert(task, key.clone());
        self.sides.entry(name.clone()).or_default().push(key.clone());
        self.ledgers.insert(key, Side { task, limiter, name, inbox, figures, limit });
    }

    /// Forgets a task that has ended: its key is idle, its limiter was dropped, or it has panicked.
    fn forget(&mut self, id: Id) {
        let Some(key) = self.keys.remove(&id) else { return };
        let Some(Side { limiter, name, inbox, .. }) = self.ledgers.remove(&key) else { return };
        if let Some(sides) = self.sides.get_mut(&name) {
            sides.retain(|side| *side != key);
            if sides.is_empty() {
                self.sides.remove(&name);
            }
        }
        self.board.remove(&key.0, key.1.as_deref());
        if inbox.woken.load(Ordering::Acquire) {
            // A call of that key came while the task ended.
            self.wake(&limiter);
        }
    }

    fn deliver(&self, ledger: &LedgerName, push: &Push) {
        for side in self.sides.get(ledger).into_iter().flatten() {
            if let Some(side) = self.ledgers.get(side) {
                // The node knows its own pushes. One that finds no room is dropped.
                let _full = side.inbox.pushes.try_send(push.clone());
            }
        }
    }

    /// Reads who has which share, for the ledgers whose figures somebody reads.
    fn look_at_members(&mut self) {
        if self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) {
            // There are many ledgers, or the store is slow. It is not asked for more.
            return;
        }
        let sides = self.ledgers.values().filter(|side| side.figures.is_watched());
        let watched: Vec<_> =
            sides.map(|side| (side.name.clone(), Arc::clone(&side.figures))).collect();
        if watched.is_empty() {
            return;
        }
        let (store, here) = (Arc::clone(&self.store), self.process.clone());
        self.reader = Some(tokio::spawn(async move {
            let read = |(name, figures): (LedgerName, Arc<SharedFigures>)| {
                let (store, here) = (&store, &here);
                async move {
                    if let Ok(Some(view)) = store.find(&name).await {
                        figures.set_members(&view, here);
                    }
                }
            };
            stream::iter(watched).for_each_concurrent(TOGETHER, read).await;
        }));
    }
}

//! The thread of a fleet: it starts a task for each ledger, and passes on what they are told.

use super::figures::Board;
use super::ledger_task::{LedgerTask, Stop};
use super::outage::{Contact, Outage};
use super::warnings::Warnings;
use super::{Fleet, StartError};
use crate::clock_steps::ClockSteps;
use crate::message::{NodeId, Push, Times};
use crate::{LeaseStore, LedgerName, process};
use limit_runtime::fleet::{self, Agent, Lease};
use limit_runtime::{FleetFigures, LimiterHandle, OnUnavailable};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{Id, JoinSet};

/// The options of a fleet, checked.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) namespace: Arc<str>,
    pub(super) times: Times,
    /// The time after which a lease is renewed, in microseconds.
    pub(super) refresh: u64,
    /// The time by which a lease ends before the ledger ends it, in microseconds.
    pub(super) margin: u64,
    pub(super) on_unavailable: Option<OnUnavailable>,
    pub(super) lazily: bool,
}

/// The number of pushes that wait for their task. A push that finds no room is dropped: pushes are only a
/// help, and a node that waits polls.
const PUSHES: usize = 1024;

/// The time between two looks at the clocks, and at the members of ledgers that somebody watches.
const LOOK: Duration = Duration::from_secs(1);

/// The first pause before the store is opened again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The part of a fleet that the core calls.
struct FleetAgent {
    wakes: tokio::sync::mpsc::UnboundedSender<LimiterHandle>,
    board: Arc<Board>,
}

impl Agent for FleetAgent {
    fn wake(&self, limiter: &LimiterHandle) {
        // Unbounded, but each lease wakes once until its task has looked at it. It fails after the thread
        // has ended: `fleet::stop` follows at once.
        let _ended = self.wakes.send(limiter.clone());
    }

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.board.figures(limiter)
    }

    fn brief_figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.board.brief_figures(limiter)
    }
}

impl fmt::Debug for FleetAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetAgent").finish_non_exhaustive()
    }
}

/// Starts the thread, and waits until it has joined the fleet.
pub(super) async fn start<S: LeaseStore>(store: S, plan: Plan) -> Result<Fleet, StartError> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = oneshot::channel();
    let (ending, ended) = mpsc::channel();
    let process = process::name();
    let name = process.clone();
    let thread = thread::Builder::new()
        .name("limit-fleet".to_owned())
        .spawn(move || {
            // Dropped last, also if the thread panics.
            let _ending: mpsc::Sender<()> = ending;
            run(store, plan, name, ready, stopped);
        })
        .map_err(StartError::Thread)?;
    match started.await {
        Ok(Ok(warnings)) => {
            Ok(Fleet { process, warnings, stop: Some(stop), ended, thread: Some(thread) })
        }
        Ok(Err(error)) => Err(error),
        // The thread has panicked, and its message has been printed.
        Err(_) => Err(StartError::Thread(std::io::Error::other("it has panicked"))),
    }
}

fn run<S: LeaseStore>(
    store: S,
    plan: Plan,
    process: String,
    ready: oneshot::Sender<Result<Vec<String>, StartError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(StartError::Thread(error)))),
    };
    runtime.block_on(async move {
        let store = Arc::new(store);
        let (push, pushes) = tokio::sync::mpsc::channel(PUSHES);
        let (warnings, is_open) = match store.open(&process, push.clone()).await {
            Ok(warnings) => (warnings, true),
            Err(error) if plan.lazily && error.may_pass() => (vec![error.to_string()], false),
            Err(error) => return drop(ready.send(Err(error.into()))),
        };
        let (wakes, woken) = tokio::sync::mpsc::unbounded_channel();
        let board = Arc::new(Board::default());
        let agent = FleetAgent { wakes, board: Arc::clone(&board) };
        if fleet::start(Arc::new(agent)).is_err() {
            return drop(ready.send(Err(StartError::AlreadyStarted)));
        }
        // From here on the core is told that the fleet is over, also if this thread panics.
        let _started = StopOnDrop;
        if ready.send(Ok(warnings)).is_err() {
            return;
        }
        if !is_open {
            let (store, process) = (Arc::clone(&store), process.clone());
            tokio::spawn(async move { open_again(&*store, &process, push).await });
        }
        Driver::new(store, plan, process, board).drive(woken, pushes, stopped).await;
    });
}

/// Opens the store again and again until that succeeds.
async fn open_again<S: LeaseStore>(
    store: &S,
    process: &str,
    push: tokio::sync::mpsc::Sender<(LedgerName, Push)>,
) {
    let mut pause = FIRST_PAUSE;
    while store.open(process, push.clone()).await.is_err() {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Ends the fleet in the core.
struct StopOnDrop;

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        fleet::stop();
    }
}

/// The way to a ledger's task.
#[derive(Clone)]
pub(super) struct Inbox {
    /// Notified of calls that wait, of permits that come back, and of a changed limit.
    pub(super) wake: Arc<Notify>,
    /// Set with each wake, and cleared by the task. So a wake that comes while the task ends is seen.
    pub(super) woken: Arc<AtomicBool>,
    pushes: tokio::sync::mpsc::Sender<Push>,
}

impl Inbox {
    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}

/// A ledger's local side: the limiter's name in this process, and the key.
type LeaseKey = (String, Option<String>);

/// What the driver knows of a task.
struct Side {
    task: Id,
    limiter: LimiterHandle,
    name: LedgerName,
    inbox: Inbox,
}

struct Driver<S> {
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
    stop: watch::Sender<Stop>,
}

impl<S: LeaseStore> Driver<S> {
    fn new(store: Arc<S>, plan: Plan, process: String, board: Arc<Board>) -> Self {
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
            stop: watch::Sender::new(Stop::No),
        }
    }

    async fn drive(
        mut self,
        mut woken: tokio::sync::mpsc::UnboundedReceiver<LimiterHandle>,
        mut pushes: tokio::sync::mpsc::Receiver<(LedgerName, Push)>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let mut clocks = ClockSteps::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stop = loop {
            tokio::select! {
                biased;
                // A fleet that is dropped blocks its thread, on which the calls may run.
                is_awaited = &mut stopped => break if is_awaited.is_ok() { Stop::AfterCalls } else { Stop::Now },
                Some((ledger, push)) = pushes.recv() => self.deliver(&ledger, &push),
                Some(limiter) = woken.recv() => self.wake(&limiter),
                Some(ended) = self.tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
                    self.forget(id);
                }
                _ = look.tick(), if !self.ledgers.is_empty() => {
                    // If the machine was suspended, timers do not count that.
                    let has_stepped = clocks.has_stepped();
                    // The task of a dropped limiter ends when it has given the share back.
                    let wakes = |side: &&Side| has_stepped || side.limiter.is_dropped();
                    self.ledgers.values().filter(wakes).for_each(|side| side.inbox.wake());
                    self.look_at_members();
                }
            }
        };
        // No call is admitted from here on, so that the shares can be given back.
        fleet::stop();
        self.stop.send_replace(stop);
        let leave = async { while self.tasks.join_next().await.is_some() {} };
        // A store that does not answer gets the shares back when the leases are over.
        let _in_time = tokio::time::timeout(Fleet::GIVE_BACK * 9 / 10, leave).await;
    }

    /// Starts tasks for the ledgers of a limiter that have none, and wakes the others.
    fn wake(&mut self, limiter: &LimiterHandle) {
        for lease in limiter.leases_with_news() {
            let key = (limiter.name().to_owned(), lease.key().map(ToOwned::to_owned));
            match self.ledgers.get(&key) {
                Some(side) if !side.limiter.is_dropped() => side.inbox.wake(),
                Some(side) => {
                    // Another limiter has the name now. The task of the former gives its share back by itself.
                    side.inbox.wake();
                    self.forget(side.task);
                    self.begin(key, lease);
                }
                None => self.begin(key, lease),
            }
        }
    }

    fn begin(&mut self, key: LeaseKey, lease: Lease) {
        let (push, pushes) = tokio::sync::mpsc::channel(16);
        let inbox = Inbox { wake: Arc::default(), woken: Arc::default(), pushes: push };
        let whole = LedgerName::new(&*self.plan.namespace, lease.name());
        let name = match lease.key() {
            Some(key) => whole.with_key(key),
            None => whole,
        };
        self.nodes += 1;
        let limiter = lease.limiter().clone();
        let task = LedgerTask {
            store: Arc::clone(&self.store),
            plan: Arc::clone(&self.plan),
            figures: self.board.add(&key.0, key.1.as_deref()),
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
        self.ledgers.insert(key, Side { task, limiter, name, inbox });
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
    fn look_at_members(&self) {
        for (key, Side { name, .. }) in &self.ledgers {
            let Some(figures) = self.board.watched(&key.0, key.1.as_deref()) else { continue };
            let (store, name, here) = (Arc::clone(&self.store), name.clone(), self.process.clone());
            tokio::spawn(async move {
                if let Ok(Some(view)) = store.find(&name).await {
                    figures.set_members(&view, &here);
                }
            });
        }
    }
}

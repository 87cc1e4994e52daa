//! Slots for recorded calls. Taking one and giving it back needs no lock that all calls share.
//!
//! The thread that has set `taken` owns the slot. A thread first tries the slots near its last one,
//! so that threads rarely try the same slots. Chunks of slots are made when they are needed, each
//! twice as large as the one before. They are never freed.
//!
//! A slot's content is written and read as a whole (`AtomicCell`). So a reader sees a complete call
//! or none. What changes at each poll of a call stands beside it, in atomics of its own.

use super::agent::{APART, Agent, Local};
use super::site::{Kind, PollPoint};
use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use once_cell::sync::OnceCell;
use std::collections::HashSet;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::Id;

/// The data of a recorded call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    /// The number of the record. No other has it.
    pub(crate) id: u64,
    /// The limiter's index.
    pub(crate) limiter: Option<u32>,
    /// The call's slot at the semaphore, if it has one.
    pub(crate) slot: Option<u32>,
    /// The semaphore's number.
    pub(crate) semaphore: usize,
    pub(crate) site: &'static Location<'static>,
    pub(crate) since: Instant,
    /// The number of the record of the innermost future that we polled when the call was made, 0 for none.
    pub(crate) under: u64,
    pub(crate) weight: u32,
    /// How deep the call was polled when it was admitted or began to wait: see [`PollPoint`].
    pub(crate) depth: u32,
    pub(crate) kind: Kind,
    /// `true` if the call holds permits, `false` if it waits.
    pub(crate) holds: bool,
    /// `true` if the call waits for no longer than a time.
    pub(crate) gives_up: bool,
    /// `true` if the log has reported that the permits are held for long.
    pub(crate) is_reported: bool,
}

impl PartialEq for Info {
    fn eq(&self, other: &Self) -> bool {
        // The other fields never change.
        let key = |info: &Self| {
            let Self { id, slot, semaphore, weight, is_reported, .. } = *info;
            (id, slot, semaphore, weight, is_reported)
        };
        key(self) == key(other)
    }
}

impl Eq for Info {}

/// A recorded call at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) info: Info,
    pub(crate) agent: Agent,
    /// See [`PollPoint`].
    pub(crate) waker: usize,
    /// Counts the polls of a call that waits.
    pub(crate) polls: u32,
    /// How long ago its future was polled last, if we poll it.
    pub(crate) not_polled_for: Option<Duration>,
    at: &'static Slot,
}

impl Record {
    /// Reads the record again. Returns `None` if the call has ended.
    pub(crate) fn again(&self) -> Option<Self> {
        self.at.read().filter(|record| record.info.id == self.info.id)
    }

    /// Returns whether the call has not ended.
    pub(crate) fn is_there(&self) -> bool {
        self.at.id() == Some(self.info.id)
    }

    /// Returns whether the call is where it was, and has not been polled since.
    ///
    /// Under the lock of the queue in which the call waits, `true` means that its place there is still its own: see
    /// [`CallRecord::note_poll`](super::CallRecord::note_poll).
    pub(crate) fn is_unchanged(&self) -> bool {
        let polls = self.at.polls.load(Ordering::Relaxed);
        let key = |info: &Info| (info.id, info.slot, info.semaphore, info.weight);
        let now = self.at.info.load();
        polls == self.polls && now.is_some_and(|info| key(&info) == key(&self.info))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    taken: AtomicBool,
    /// `true` if the call waits. It stands apart too, because looking at many contents takes long.
    waits: AtomicBool,
    /// The agent: its thread if it is in no task, and 0 if there is none.
    thread: AtomicU32,
    task: AtomicCell<Option<Id>>,
    waker: AtomicUsize,
    polls: AtomicU32,
    /// The time of the last poll in nanoseconds since the first of all; 0 before the first poll, and [`NOW`] during
    /// a poll.
    polled: AtomicU64,
    info: AtomicCell<Option<Info>>,
}

/// In place of the time of the last poll: the future is being polled.
const NOW: u64 = u64::MAX;

/// The number of chunks. The first has `FIRST` slots, each further one twice as many, 16 million in
/// all. Calls beyond that are not recorded.
const CHUNKS: usize = 18;
const FIRST: usize = 64;
/// The number of slots of a chunk that are tried before the next chunk.
const TRIES: usize = APART;

type Chunk = Box<[CachePadded<Slot>]>;

static CHUNKS_MADE: [OnceCell<Chunk>; CHUNKS] = [const { OnceCell::new() }; CHUNKS];

/// Takes a slot for a call. Returns `None` if the slots that were tried are taken.
pub(super) fn take(info: Info, agent: Agent, point: PollPoint) -> Option<&'static Slot> {
    // The thread's locals cannot be reached while they are dropped.
    let near = Local::with(|local| local.near.get()).unwrap_or(0);
    for (number, chunk) in CHUNKS_MADE.iter().enumerate() {
        let chunk =
            chunk.get_or_init(|| (0..FIRST << number).map(|_| CachePadded::default()).collect());
        for offset in 0..TRIES {
            let index = near.wrapping_add(offset);
            let slot = &chunk[index % chunk.len()];
            // `Acquire` pairs with `give_back`: the last owner's writes come before this thread's.
            let mine =
                !slot.taken.load(Ordering::Relaxed) && !slot.taken.swap(true, Ordering::Acquire);
            if mine {
                Local::with(|local| local.near.set(index));
                // Before the content, so that a reader of this call sees what belongs to it.
                slot.set_agent(agent);
                slot.waits.store(!info.holds, Ordering::Relaxed);
                slot.waker.store(point.waker, Ordering::Relaxed);
                slot.polls.store(1, Ordering::Relaxed);
                slot.polled.store(0, Ordering::Relaxed);
                slot.info.store(Some(info));
                return Some(slot);
            }
        }
    }
    None
}

impl Slot {
    pub(super) fn agent(&self) -> Agent {
        match (self.task.load(), self.thread.load(Ordering::Relaxed)) {
            (Some(task), _) => Agent::Task(task),
            (None, 0) => Agent::Nobody,
            (None, thread) => Agent::Thread(thread),
        }
    }

    pub(super) fn set_agent(&self, agent: Agent) {
        let thread = if let Agent::Thread(thread) = agent { thread } else { 0 };
        self.thread.store(thread, Ordering::Relaxed);
        self.task.store(agent.task());
    }

    /// Notes that the call is polled again while it waits: the caller does so before the call can leave its place in
    /// the queue. So a reader under the queue's lock that sees no new poll knows that the place is still the call's.
    pub(super) fn note_poll(&self, point: PollPoint) {
        // The owner alone writes.
        let polls = self.polls.load(Ordering::Relaxed);
        self.polls.store(polls.wrapping_add(1), Ordering::Relaxed);
        let agent = Agent::current();
        if self.agent() != agent {
            self.set_agent(agent);
        }
        if self.waker.load(Ordering::Relaxed) != point.waker {
            self.waker.store(point.waker, Ordering::Relaxed);
        }
    }

    pub(super) fn begin_poll(&self) {
        self.polled.store(NOW, Ordering::Relaxed);
    }

    pub(super) fn end_poll(&self) {
        self.polled.store(since_first(), Ordering::Relaxed);
    }

    /// Returns the number of the record in the slot, if there is one.
    pub(super) fn id(&self) -> Option<u64> {
        self.info.load().map(|info| info.id)
    }

    /// Reads the record in the slot, if there is one.
    pub(super) fn read(&'static self) -> Option<Record> {
        loop {
            let before = self.info.load()?;
            let record = Record {
                info: before,
                agent: self.agent(),
                waker: self.waker.load(Ordering::Relaxed),
                polls: self.polls.load(Ordering::Relaxed),
                not_polled_for: match self.polled.load(Ordering::Relaxed) {
                    0 => None,
                    NOW => Some(Duration::ZERO),
                    polled => Some(Duration::from_nanos(since_first().saturating_sub(polled))),
                },
                at: self,
            };
            let after = self.info.load()?;
            // Otherwise the rest may be another call's.
            if before.id == after.id {
                return Some(Record { info: after, ..record });
            }
        }
    }
}

/// Returns the time since this was first asked, in nanoseconds, and at least 1.
fn since_first() -> u64 {
    static FIRST: OnceCell<Instant> = OnceCell::new();
    let since = FIRST.get_or_init(Instant::now).elapsed().as_nanos();
    u64::try_from(since).unwrap_or(NOW).clamp(1, NOW - 1)
}

/// Changes the content of the caller's own slot. Returns whether it has any.
pub(super) fn change(slot: &'static Slot, change: impl Fn(Info) -> Info) -> bool {
    // The thread that warns may mark a holder as told at the same time.
    slot.info.fetch_update(|info| Some(info.map(&change))).is_ok_and(|info| info.is_some())
}

/// Takes a part of the permits out of a slot. Returns what is to be said of that part, which needs a number of its
/// own.
pub(super) fn split(slot: &'static Slot, weight: u32) -> Option<Record> {
    let rest = |info: Info| Info { weight: info.weight.saturating_sub(weight), ..info };
    let before = slot.info.fetch_update(|info| Some(info.map(rest))).ok()??;
    Some(Record { info: Info { weight, ..before }, ..slot.read()? })
}

/// Gives a slot back, and returns its last content.
pub(super) fn give_back(slot: &'static Slot) -> Option<Info> {
    let info = slot.info.swap(None);
    // `Release` pairs with the `Acquire` of the next owner in `take`.
    slot.taken.store(false, Ordering::Release);
    info
}

/// Returns when the call began to wait that has waited longest. Calls that give up do not count.
pub(crate) fn oldest_wait() -> Option<Instant> {
    let infos = slots().filter_map(|slot| slot.info.load());
    infos.filter(|info| !info.holds && !info.gives_up).map(|info| info.since).min()
}

/// Returns whether an agent waits and holds permits. Returns `None` if nobody waits. It may miss calls that begin or end
/// meanwhile. `waiting` is room for the agents that wait: to keep it from look to look saves half of the time.
pub(crate) fn holds_and_waits(waiting: &mut HashSet<Agent>) -> Option<bool> {
    let agents = |waits| {
        let slots = slots().filter(move |slot| slot.waits.load(Ordering::Relaxed) == waits);
        slots.map(Slot::agent).filter(|&agent| agent != Agent::Nobody)
    };
    waiting.clear();
    waiting.extend(agents(true));
    (!waiting.is_empty()).then(|| agents(false).any(|agent| waiting.contains(&agent)))
}

/// Returns all calls that are recorded at this moment.
pub(crate) fn all() -> impl Iterator<Item = Record> {
    slots().filter_map(Slot::read)
}

/// Reports each call that holds permits and `is_due`, once. Marks the call, and then calls `report` with the result
/// of `look_up`. A call that ends at the same moment is reported together with its end, or not at
/// all.
pub(crate) fn report_each<T>(
    is_due: impl Fn(&Info) -> bool,
    look_up: impl Fn(&Info) -> T,
    mut report: impl FnMut(&Record, T),
) {
    let holds = |slot: &&Slot| !slot.waits.load(Ordering::Relaxed);
    for slot in slots().filter(holds) {
        let is_due = |record: &Record| !record.info.is_reported && is_due(&record.info);
        let Some(record) = slot.read().filter(is_due) else { continue };
        let info = record.info;
        let result = look_up(&info);
        let marked = Info { is_reported: true, ..info };
        // If the exchange succeeds, the call has not ended since `look_up`, so the result is right.
        if slot.info.compare_exchange(Some(info), Some(marked)).is_ok() {
            report(&Record { info: marked, ..record }, result);
        }
    }
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let chunks = CHUNKS_MADE.iter().filter_map(OnceCell::get);
    chunks.flatten().map(|slot| &**slot).filter(|slot| slot.taken.load(Ordering::Relaxed))
}

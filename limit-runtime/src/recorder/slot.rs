//! A slot: the room for one recorded call. Its owner writes without a lock.
//!
//! A word stands over the content. It says whether there is any, and it is another one after each change. So a
//! reader that finds the same word before and after it has read the content has read a complete call. All else is
//! relaxed: where the processor orders stores, a record costs plain stores and no more.

use super::agent::Agent;
use super::clock::Moment;
use super::info::Info;
use super::site::{Kind, PollPoint};
use crossbeam_utils::Backoff;
use crossbeam_utils::atomic::AtomicCell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;
use tokio::task::Id;

/// A recorded call at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) info: Info,
    pub(crate) agent: Agent,
    /// See [`PollPoint`].
    pub(crate) waker: usize,
    /// Counts the polls of a call that waits.
    pub(crate) polls: u32,
    /// The time since its future was polled last, if we poll it.
    pub(crate) not_polled_for: Option<Duration>,
    /// The word over the content when it was read.
    word: u64,
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
        let now = self.at.whole(Slot::content);
        polls == self.polls && now.is_some_and(|(_, info)| key(&info) == key(&self.info))
    }

    /// Returns whether the log has reported that the permits are held for long.
    pub(super) fn is_reported(&self) -> bool {
        self.word & REPORTED != 0
    }

    /// Marks the call as reported, unless it has changed or ended since it was read. Returns whether it is marked.
    pub(super) fn mark_reported(&self) -> bool {
        let marked = self.word | REPORTED;
        // Of this and the exchange in `end`, one comes first. `AcqRel`: what this thread has looked up before was
        // right while the call was there.
        let word = &self.at.word;
        word.compare_exchange(self.word, marked, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// In the word: there is a call.
const FULL: u64 = 1;
/// In the word: the owner writes to the content. The call is still there.
const WRITING: u64 = 2;
/// In the word: the log has reported that the permits are held for long. Another thread than the owner sets it.
const REPORTED: u64 = 4;
/// Each change adds this to the word.
const CHANGE: u64 = 8;

/// In the marks: the call holds permits.
const HOLDS: u8 = 4;
/// In the marks: see [`Info::gives_up`].
const GIVES_UP: u8 = 8;
/// In the marks: see [`Info::is_sample`].
const SAMPLE: u8 = 16;

/// In place of an index: there is none.
const NONE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// `true` while a thread or a call owns the slot.
    taken: AtomicBool,
    /// The kind of the call, and what is said of it by yes or no. It stands apart from the word, so that a look at
    /// many slots needs no second look at each.
    marks: AtomicU8,
    /// The agent: its thread if it is in no task, and 0 if there is none.
    thread: AtomicU32,
    task: AtomicCell<Option<Id>>,
    /// The state of the content: see the constants.
    word: AtomicU64,
    waker: AtomicUsize,
    /// The time of the last poll in nanoseconds since the first of all; 0 before the first poll, and [`NOW`] during
    /// a poll.
    polled: AtomicU64,
    polls: AtomicU32,
    // The other fields of the content, as in `Info`.
    limiter: AtomicU32,
    place: AtomicU32,
    weight: AtomicU32,
    depth: AtomicU32,
    id: AtomicU64,
    semaphore: AtomicUsize,
    site: AtomicCell<Option<&'static Location<'static>>>,
    since: AtomicU64,
    under: AtomicU64,
}

/// In place of the time of the last poll: the future is being polled.
const NOW: u64 = u64::MAX;

/// The methods of the owner.
impl Slot {
    /// Makes the caller the owner, if there is none.
    pub(super) fn try_take(&self) -> bool {
        // `Acquire` pairs with `give_back`: the last owner's writes come before this thread's.
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }

    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// Begins to write the record of a call, until it is [published](Self::publish).
    #[inline]
    pub(super) fn begin(&self, agent: Agent, waker: usize) {
        // Pairs with the reader's fence: a reader that sees anything of this content sees too that the one before is
        // gone.
        fence(Ordering::Release);
        self.set_agent(agent);
        self.waker.store(waker, Ordering::Relaxed);
        self.polls.store(1, Ordering::Relaxed);
        self.polled.store(0, Ordering::Relaxed);
    }

    /// Ends the record of a wait, and begins to write another one.
    #[inline]
    pub(super) fn go_on(&self, agent: Agent, waker: usize) {
        // A wait is never marked as reported, so that nobody else writes to the word.
        self.set_word(0);
        self.begin(agent, waker);
    }

    /// Shows what was written.
    #[inline]
    pub(super) fn publish(&self, is_reported: bool) {
        self.set_word(if is_reported { FULL | REPORTED } else { FULL });
    }

    /// Changes the record of the call.
    pub(super) fn change(&self, is_reported: bool, change: impl FnOnce(Info) -> Info) {
        let before = self.word.fetch_or(WRITING, Ordering::Relaxed);
        fence(Ordering::Release);
        if let Some(info) = self.content() {
            self.write(&change(info));
        }
        self.publish(is_reported || before & REPORTED != 0);
    }

    /// Ends the record. Returns whether the call is marked as reported. The content can be read until the slot is
    /// given back.
    pub(super) fn end(&self) -> bool {
        let next = self.next(0);
        // Not a store, because the mark may be set meanwhile. `AcqRel`: see `Record::mark_reported`.
        self.word.swap(next, Ordering::AcqRel) & REPORTED != 0
    }

    /// Says what the content is worth from now on.
    #[inline]
    fn set_word(&self, flags: u64) {
        self.word.store(self.next(flags), Ordering::Release);
    }

    /// Returns the next word, with these flags.
    fn next(&self, flags: u64) -> u64 {
        let before = self.word.load(Ordering::Relaxed);
        (before & !(CHANGE - 1)).wrapping_add(CHANGE) | flags
    }

    #[inline]
    pub(super) fn write(&self, info: &Info) {
        let mark = |is_set, mark| if is_set { mark } else { 0 };
        let marks = info.kind as u8
            | mark(info.holds, HOLDS)
            | mark(info.gives_up, GIVES_UP)
            | mark(info.is_sample, SAMPLE);
        self.marks.store(marks, Ordering::Relaxed);
        self.id.store(info.id, Ordering::Relaxed);
        self.limiter.store(info.limiter.unwrap_or(NONE), Ordering::Relaxed);
        self.place.store(info.slot.unwrap_or(NONE), Ordering::Relaxed);
        self.semaphore.store(info.semaphore, Ordering::Relaxed);
        self.site.store(Some(info.site));
        self.since.store(info.since.nanoseconds(), Ordering::Relaxed);
        self.under.store(info.under, Ordering::Relaxed);
        self.weight.store(info.weight, Ordering::Relaxed);
        self.depth.store(info.depth, Ordering::Relaxed);
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
        self.set_agent(Agent::current());
        self.waker.store(point.waker, Ordering::Relaxed);
    }

    pub(super) fn begin_poll(&self) {
        self.polled.store(NOW, Ordering::Relaxed);
    }

    pub(super) fn end_poll(&self) {
        self.polled.store(Moment::recent().nanoseconds(), Ordering::Relaxed);
    }
}

/// The methods of readers, which may be any thread.
impl Slot {
    pub(super) fn agent(&self) -> Agent {
        match (self.task.load(), self.thread.load(Ordering::Relaxed)) {
            (Some(task), _) => Agent::Task(task),
            (None, 0) => Agent::Nobody,
            (None, thread) => Agent::Thread(thread),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.word.load(Ordering::Relaxed) & FULL != 0
    }

    /// Returns whether the call holds permits.
    pub(super) fn holds(&self) -> bool {
        self.marks.load(Ordering::Relaxed) & HOLDS != 0
    }

    pub(super) fn is_sample(&self) -> bool {
        self.marks.load(Ordering::Relaxed) & SAMPLE != 0
    }

    /// Returns whether the call holds permits, and the program or a body of its own has them.
    pub(super) fn is_hold_of_program(&self) -> bool {
        let marks = self.marks.load(Ordering::Relaxed);
        marks & HOLDS != 0 && kind(marks) != Kind::Polled
    }

    /// Returns the number of the record in the slot, if there is one.
    pub(super) fn id(&self) -> Option<u64> {
        self.whole(|slot| Some(slot.id.load(Ordering::Relaxed))).map(|(_, id)| id)
    }

    /// Returns the content. The owner gets what is there. For others it may be a mixture: see [`whole`](Self::whole).
    pub(super) fn content(&self) -> Option<Info> {
        let some = |index: &AtomicU32| Some(index.load(Ordering::Relaxed)).filter(|&i| i != NONE);
        let marks = self.marks.load(Ordering::Relaxed);
        Some(Info {
            id: self.id.load(Ordering::Relaxed),
            limiter: some(&self.limiter),
            slot: some(&self.place),
            semaphore: self.semaphore.load(Ordering::Relaxed),
            site: self.site.load()?,
            since: Moment::from_nanoseconds(self.since.load(Ordering::Relaxed)),
            under: self.under.load(Ordering::Relaxed),
            weight: self.weight.load(Ordering::Relaxed),
            depth: self.depth.load(Ordering::Relaxed),
            kind: kind(marks),
            holds: marks & HOLDS != 0,
            gives_up: marks & GIVES_UP != 0,
            is_sample: marks & SAMPLE != 0,
        })
    }

    /// Reads while there is a call and nobody writes. Returns the word, too.
    fn whole<T>(&self, read: impl Fn(&Self) -> Option<T>) -> Option<(u64, T)> {
        let backoff = Backoff::new();
        loop {
            // `Acquire` pairs with `set_word`.
            let word = self.word.load(Ordering::Acquire);
            if word & FULL == 0 {
                return None;
            }
            let content = read(self);
            // Pairs with the fence before each writing.
            fence(Ordering::Acquire);
            let is_whole = word & WRITING == 0 && self.word.load(Ordering::Relaxed) == word;
            match content {
                Some(content) if is_whole => return Some((word, content)),
                _ => backoff.snooze(),
            }
        }
    }

    /// Reads the record in the slot, if there is one.
    pub(super) fn read(&'static self) -> Option<Record> {
        let read = |slot: &Self| {
            let polled = slot.polled.load(Ordering::Relaxed);
            let waker = slot.waker.load(Ordering::Relaxed);
            Some((slot.content()?, slot.agent(), waker, slot.polls.load(Ordering::Relaxed), polled))
        };
        let (word, (info, agent, waker, polls, polled)) = self.whole(read)?;
        let not_polled_for = match polled {
            0 => None,
            NOW => Some(Duration::ZERO),
            polled => Some(Moment::from_nanoseconds(polled).elapsed()),
        };
        Some(Record { info, agent, waker, polls, not_polled_for, word, at: self })
    }
}

/// Returns the kind that is in the marks.
fn kind(marks: u8) -> Kind {
    const BODY: u8 = Kind::Body as u8;
    const POLLED: u8 = Kind::Polled as u8;
    match marks % HOLDS {
        BODY => Kind::Body,
        POLLED => Kind::Polled,
        _ => Kind::Bare,
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::thread;

    /// Makes a record whose fields all follow from one number.
    fn info(number: u32, holds: bool) -> Info {
        Info {
            id: number.into(),
            limiter: Some(number),
            slot: Some(number),
            semaphore: number as usize,
            site: Location::caller(),
            since: Moment::from_nanoseconds(number.into()),
            under: number.into(),
            weight: number,
            depth: number,
            kind: Kind::Bare,
            holds,
            gives_up: false,
            is_sample: holds,
        }
    }

    fn slot() -> &'static Slot {
        let slot: &'static Slot = Box::leak(Box::default());
        assert!(slot.try_take());
        slot
    }

    fn begin(slot: &Slot, info: &Info) {
        slot.begin(Agent::Nobody, info.depth as usize);
        slot.write(info);
        slot.publish(false);
    }

    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        let slot = slot();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..300_000 {
                    begin(slot, &info(number, false));
                    slot.change(false, |info| Info { slot: Some(7), semaphore: 7, ..info });
                    slot.go_on(Agent::Nobody, number as usize);
                    slot.write(&info(number, true));
                    slot.publish(false);
                    assert!(!slot.end());
                }
                is_done.store(true, Ordering::Relaxed);
            });
            while !is_done.load(Ordering::Relaxed) {
                let Some(Record { info: read, waker, .. }) = slot.read() else { continue };
                let expected = info(read.weight, read.holds);
                let rest = (read.id, read.limiter, read.since, read.under, read.depth);
                let of = (expected.id, expected.limiter, expected.since, expected.under);
                assert_eq!(rest, (of.0, of.1, of.2, of.3, expected.depth));
                assert_eq!((read.is_sample, waker), (read.holds, read.weight as usize));
                let place = (read.slot, read.semaphore);
                let was_changed = !read.holds && place == (Some(7), 7);
                assert!(was_changed || place == (expected.slot, expected.semaphore), "{read:?}");
            }
        });
    }

    #[test]
    fn a_call_that_was_reported_says_so_at_its_end_and_no_other_does() {
        let slot = slot();
        begin(slot, &info(1, true));
        let record = slot.read().expect("it is there");
        slot.change(false, |info| Info { weight: 9, ..info });
        assert!(!record.mark_reported(), "it has changed since");
        let record = slot.read().expect("it is there");
        assert!(!record.is_reported() && record.mark_reported());
        assert!(slot.read().is_some_and(|record| record.is_reported()));
        slot.change(false, |info| Info { weight: 8, ..info });
        assert!(slot.end(), "the mark stays");
        begin(slot, &info(1, true));
        assert!(!record.mark_reported(), "the call has ended");
        assert!(!slot.end());
        assert!(slot.read().is_none());
    }
}

//! Executors that are not tokio's. Their wakers panic, sleep, read the limiter, or poll the call at
//! once. One thread polls a call and then another does, and only the call's last waker counts.
//!
//! Each of these wakers makes sure that its call is polled again, as a waker must, before anything
//! else or after its pause. So every waiter must get on, whatever the wakers of others do.

use crate::call::{Call, Held};
use crate::provoked;
use crate::random::Random;
use crate::request::Scope;
use crate::stage::{Numbered, Stage};
use crate::subject::Subject;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

const THREADS: usize = 2;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    // The executor runs inside a runtime, where there is a timer, or outside.
    let numbered = random.one_in(2).then(|| Numbered::workers(1));
    let slots: Vec<_> = (0..random.between(2, 10)).map(|_| Arc::default()).collect();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (numbered, slots, random) = (numbered.as_ref(), &slots, random.fork());
            scope.spawn(move || Driver { stage, numbered, slots, random }.drive());
        }
    });
    numbered.into_iter().collect()
}

/// A slot for one call.
#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    /// The number of the last poll. Wakers of earlier polls do nothing.
    poll: AtomicU64,
    woken: AtomicBool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Waiting {
        call: Call,
        subject: Arc<Subject>,
        /// `true` if a waker may poll the call, wherever that is.
        anywhere: bool,
    },
    Inside {
        held: Held,
        turns: u32,
    },
}

/// The behaviour of a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Notes,
    Panics,
    Sleeps,
    /// Takes a snapshot of the limiter, also when it is dropped.
    Looks,
    Polls,
}

#[derive(Debug)]
struct ForeignWaker {
    slot: Arc<Slot>,
    subject: Arc<Subject>,
    poll: u64,
    manner: Manner,
}

impl Wake for ForeignWaker {
    fn wake(self: Arc<Self>) {
        match self.manner {
            Manner::Notes => self.note(),
            Manner::Panics => {
                self.note();
                provoked::provoke();
            }
            Manner::Sleeps => {
                thread::sleep(Duration::from_micros(1_500));
                self.note();
            }
            Manner::Looks => {
                provoked::catch(|| self.subject.limiter.snapshot());
                self.note();
            }
            Manner::Polls => match self.slot.try_lock() {
                Some(mut state) if self.is_last() => self.slot.poll(&mut state, Manner::Polls),
                _ => self.note(),
            },
        }
    }
}

impl ForeignWaker {
    fn is_last(&self) -> bool {
        self.slot.poll.load(SeqCst) == self.poll
    }

    fn note(&self) {
        if self.is_last() {
            self.slot.woken.store(true, SeqCst);
        }
    }
}

impl Drop for ForeignWaker {
    fn drop(&mut self) {
        if self.manner == Manner::Looks {
            provoked::catch(|| self.subject.limiter.snapshot());
        }
    }
}

impl Slot {
    /// Locks the slot, unless another thread has it.
    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Polls the waiting call with a new waker.
    fn poll(self: &Arc<Self>, state: &mut State, manner: Manner) {
        let State::Waiting { call, subject, .. } = state else { return };
        let poll = self.poll.fetch_add(1, SeqCst) + 1;
        self.woken.store(false, SeqCst);
        let (slot, subject) = (Arc::clone(self), Arc::clone(subject));
        let waker = Waker::from(Arc::new(ForeignWaker { slot, subject, poll, manner }));
        if let Poll::Ready(outcome) = Pin::new(call).poll(&mut Context::from_waker(&waker)) {
            *state = match outcome.ok() {
                Some(held) => State::Inside { held, turns: 2 },
                None => State::Idle,
            };
        }
    }
}

/// One thread of an executor.
struct Driver<'a> {
    stage: &'a Stage,
    numbered: Option<&'a Numbered>,
    slots: &'a [Arc<Slot>],
    random: Random,
}

impl Driver<'_> {
    /// Runs until no new calls may be made and none is left.
    fn drive(mut self) {
        let _entered = self.numbered.map(|numbered| numbered.runtime.enter());
        loop {
            let mut all_idle = true;
            for slot in self.slots {
                let Some(mut state) = slot.try_lock() else {
                    all_idle = false;
                    continue;
                };
                self.turn(slot, &mut state);
                all_idle &= matches!(*state, State::Idle);
            }
            if all_idle && !self.stage.may_call() {
                return;
            }
            thread::sleep(self.random.micros(0, 100));
        }
    }

    fn turn(&mut self, slot: &Arc<Slot>, state: &mut State) {
        let may_call = self.stage.may_call();
        match state {
            State::Idle if may_call && self.random.one_in(2) => {
                *state = self.call();
                if self.random.one_in(10) {
                    // The call is dropped before its first poll.
                    *state = State::Idle;
                } else {
                    self.poll(slot, state);
                }
            }
            State::Waiting { .. } if slot.woken.swap(false, SeqCst) => {
                if self.random.one_in(8) {
                    // Mostly the call has been granted its permit, and does not see it.
                    *state = State::Idle;
                } else {
                    self.poll(slot, state);
                }
            }
            State::Waiting { .. } if may_call && self.random.one_in(40) => {
                if self.random.one_in(2) {
                    *state = State::Idle;
                } else {
                    // The call was not woken, but gets another waker.
                    self.poll(slot, state);
                }
            }
            State::Inside { turns: 0, .. } => {
                if let State::Inside { held, .. } = std::mem::take(state) {
                    self.end(held);
                }
            }
            State::Inside { turns, .. } => *turns -= 1,
            State::Idle | State::Waiting { .. } => {}
        }
    }

    fn call(&mut self) -> State {
        let subject = self.stage.any_shared(&mut self.random, self.numbered.is_some());
        let anywhere = !subject.spec.is_timed() && self.random.one_in(3);
        let scope = match self.numbered {
            // A call that is polled again may be polled in another runtime.
            _ if anywhere => Scope::Unknown,
            Some(numbered) => numbered.scope,
            None => Scope::Process,
        };
        let call = subject.any_call(scope, &mut self.random);
        State::Waiting { call, subject: Arc::clone(subject), anywhere }
    }

    fn poll(&mut self, slot: &Arc<Slot>, state: &mut State) {
        let State::Waiting { call, subject, anywhere } = state else { return };
        let manner = match self.random.below(6) {
            // A waker for tokio's timer must not panic: that would end the timer's thread.
            0 | 1 if !call.has_deadline() && subject.spec.max_wait.is_none() => Manner::Panics,
            2 => Manner::Sleeps,
            3 => Manner::Looks,
            4 | 5 if *anywhere => Manner::Polls,
            _ => Manner::Notes,
        };
        slot.poll(state, manner);
    }

    fn end(&mut self, held: Held) {
        match self.random.below(8) {
            0 => {
                provoked::catch(|| {
                    let _held = held;
                    provoked::provoke()
                });
            }
            1 => self.stage.linger(held),
            _ => drop(held),
        }
    }
}

//! A call that takes the permits of several limits as one: all or none.
//!
//! [`rounds`] has the rule, and the proof that calls under it do not wait for each other. [`member`] has what the call
//! does at one limit. This file puts the two together.

mod block;
pub(crate) mod member;
mod members;
mod rounds;

use self::members::AnyMembers;
pub use self::members::Members;
use self::rounds::{Rounds, Step};
use crate::admission::Admission;
use crate::policy::MaxWait;
use crate::recorder::PollPoint;
use crate::rejected::Rejected;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// The most limits of one call.
pub(crate) const MOST: usize = 8;

/// The future of [`acquire_all`](crate::acquire_all). Its output is the guard of all permits, or a `Result` with it if
/// one of the limiters can refuse calls.
///
/// It does nothing until it is polled.
///
/// # Cancel safety
///
/// Dropping the future at any time is safe. It leaves the queue in which it waits, and gives back all permits.
///
/// # Panics
///
/// As [`Acquire`](crate::Acquire); and on the first poll, if it names a limiter with keys twice.
///
/// # Examples
///
/// See [`acquire_all`](crate::acquire_all).
#[must_use = "futures do nothing unless polled"]
pub struct AcquireAll<E: Admission, M> {
    members: M,
    progress: Progress,
    refusal: PhantomData<fn() -> E>,
}

/// The progress of a call, whatever its limits are.
struct Progress {
    /// `None` before the first poll.
    rounds: Option<Rounds>,
    has_ended: bool,
    /// The members in the common order.
    order: [u8; MOST],
    /// For each member, the member that stands for the same limiter: nearly always itself.
    stands_for: [u8; MOST],
    /// The time at which the call began to wait for any of the limits, if anybody wants to know it.
    since: Option<Instant>,
    point: PollPoint,
}

impl<E: Admission, M: Members> AcquireAll<E, M> {
    #[inline]
    pub(crate) fn new(members: M) -> Self {
        let progress = Progress {
            rounds: None,
            has_ended: false,
            order: [0; MOST],
            stands_for: [0; MOST],
            since: None,
            point: PollPoint::NONE,
        };
        Self { members, progress, refusal: PhantomData }
    }

    /// Waits at most this long for all permits together (a [`Duration`](std::time::Duration)), or until an `Instant`.
    /// It takes the place of the `max_wait` of each limiter. After that the call is refused as
    /// [`TimedOut`](crate::RejectedKind::TimedOut), by the limiter at which it waits.
    pub fn max_wait(mut self, max_wait: impl Into<MaxWait>) -> AcquireAll<Rejected, M> {
        let max_wait = max_wait.into();
        for number in 0..M::COUNT {
            self.members.member(number).set_max_wait(max_wait);
        }
        AcquireAll { members: self.members, progress: self.progress, refusal: PhantomData }
    }

    /// Ends the call, which has all permits or is refused.
    fn end(&mut self, result: Result<(), Rejected>) -> E::Outcome<M::Guard> {
        let Self { members, progress, .. } = self;
        progress.has_ended = true;
        if let Err(rejected) = result {
            progress.give_back(members);
            return E::outcome(Err(E::refusal(rejected)));
        }
        let permit = |number| members.member(usize::from(progress.stands_for[number])).permit();
        E::outcome(Ok(M::guard(permit)))
    }

    /// Returns the same call, for the body of an annotated function that has no name for the permits.
    pub(crate) fn of_body(mut self) -> Self {
        for number in 0..M::COUNT {
            self.members.member(number).of_body();
        }
        self
    }
}

impl Progress {
    /// Puts the members in the common order, which is that of the indices of their limiters. No two limiters have the
    /// same one at the same time.
    #[inline(never)]
    fn begin(&mut self, members: &mut dyn AnyMembers) {
        let count = members.count();
        let mut indices = [0; MOST];
        let mut kept = 0;
        for number in 0..count {
            let member = members.get(number);
            let index = member.limiter().engine().owner();
            let (has_key, weight) = (member.has_key(), member.weight());
            indices[number] = index;
            self.stands_for[number] = to_u8(number);
            let Some(first) = (0..number).find(|&first| indices[first] == index) else {
                self.order[kept] = to_u8(number);
                kept += 1;
                continue;
            };
            let first = usize::from(self.stands_for[first]);
            assert!(
                !has_key,
                "`acquire_all` names concurrency limiter `{}` twice, and its limit holds for each key: one call \
                 takes the permits of one key; give the second one a limiter of its own, or take the permits one \
                 after the other, in one order of the keys",
                member.limiter().name()
            );
            self.stands_for[number] = to_u8(first);
            members.get(first).name_again(weight);
        }
        self.order[..kept].sort_unstable_by_key(|&number| indices[usize::from(number)]);
        self.rounds = Some(Rounds::new(to_u8(kept)));
    }

    /// Goes on until the call has all permits, must wait, or is refused.
    #[inline(never)]
    fn poll(
        &mut self,
        members: &mut dyn AnyMembers,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Rejected>> {
        if self.rounds.is_none() {
            self.begin(members);
        }
        let Self { rounds: Some(rounds), order, since, point, .. } = self else {
            unreachable!("it has begun")
        };
        let number = |limit: u8| usize::from(order[usize::from(limit)]);
        loop {
            let succeeded = match rounds.step() {
                Step::Look(limit) => members.get(number(limit)).look(context),
                Step::Take(limit) => members.get(number(limit)).take(context),
                Step::Claim(limit) => members.get(number(limit)).claim(context, *since)?,
                Step::GiveBack(limit) => {
                    members.get(number(limit)).give_back();
                    true
                }
                Step::Wait(limit) => {
                    let member = members.get(number(limit));
                    member.note(*point);
                    ready!(member.wait(context, since))?;
                    true
                }
                Step::Hold(limit) => {
                    let member = members.get(number(limit));
                    member.note(*point);
                    ready!(member.wait(context, since))?;
                    let succeeded = member.claim(context, *since)?;
                    if succeeded {
                        member.hold(true);
                    }
                    succeeded
                }
                Step::Done => break,
            };
            rounds.done(succeeded);
        }
        // They are listed in the common order too: to `diagnostics`, calls for the same limits do not nest them in two
        // orders.
        for &number in &order[..rounds.count()] {
            let member = members.get(usize::from(number));
            member.note(*point);
            member.hold(false);
        }
        Poll::Ready(Ok(()))
    }

    /// Returns the number of the member in whose queue the call waits.
    fn waits_at(&self) -> usize {
        match self.rounds.map(Rounds::step) {
            Some(Step::Wait(limit) | Step::Hold(limit)) => {
                usize::from(self.order[usize::from(limit)])
            }
            _ => unreachable!("only a call that waits is pending"),
        }
    }

    /// Gives back all that the call has, the last first, because it is refused.
    fn give_back(&self, members: &mut dyn AnyMembers) {
        for &number in self.order.iter().take(members.count()).rev() {
            members.get(usize::from(number)).give_back();
        }
    }
}

/// A number below [`MOST`].
#[expect(clippy::cast_possible_truncation, reason = "there are 8 at most")]
fn to_u8(number: usize) -> u8 {
    number as u8
}

impl<E: Admission, M: Members> Future for AcquireAll<E, M> {
    type Output = E::Outcome<M::Guard>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Self { members, progress, .. } = &mut *this;
        // Here, and nowhere deeper: see `PollPoint::measure`.
        progress.point.note(context, || false);
        assert!(!progress.has_ended, "`AcquireAll` polled after it was ready");
        let result = ready!(progress.poll(members, context));
        Poll::Ready(this.end(result))
    }
}

/// No field is pinned.
impl<E: Admission, M> Unpin for AcquireAll<E, M> {}

impl<E: Admission, M: Members> fmt::Debug for AcquireAll<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("AcquireAll");
        // Formatting the core is no use of the limiter: it registers nothing.
        self.members.each(&mut |member| {
            tuple.field(member.limiter());
        });
        tuple.finish()
    }
}

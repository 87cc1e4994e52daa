//! The settings of a limiter, at random.

use crate::random::Random;
use crate::request::{Key, Request};
use limit_runtime::{Order, Scope};
use std::time::Duration;

/// The settings with which a limiter is made.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) scope: Scope,
    /// The limit, from 1 up, so that every call is admitted at last.
    pub(crate) limit: u32,
    pub(crate) keyed: bool,
    /// With keys, the limit over all of them.
    pub(crate) total: Option<u32>,
    pub(crate) per: Option<Duration>,
    pub(crate) max_waiting: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) order: Order,
    pub(crate) ranked: bool,
    /// `true` if calls have weights and priorities, and are enabled or not.
    pub(crate) varied: bool,
    /// The time after which an unclaimed grant goes to another call.
    pub(crate) claim_within: Duration,
}

impl Spec {
    /// Returns the settings of a limiter with a scope and a limit, and nothing else.
    pub(crate) fn plain(scope: Scope, limit: u32) -> Self {
        Self {
            scope,
            limit,
            keyed: false,
            total: None,
            per: None,
            max_waiting: None,
            max_wait: None,
            order: Order::Fifo,
            ranked: false,
            varied: false,
            claim_within: Duration::from_secs(1),
        }
    }

    /// Returns settings at random. If they are `timed`, waiting calls may need tokio's timer.
    pub(crate) fn any(random: &mut Random, timed: bool) -> Self {
        let limit = random.between(1, 6);
        let keyed = random.one_in(3);
        Self {
            limit,
            keyed,
            total: (keyed && random.one_in(2)).then(|| random.between(limit, 2 * limit)),
            per: (timed && random.one_in(2)).then(|| random.micros(1_000, 15_000)),
            max_waiting: random.one_in(3).then(|| random.below(9)),
            max_wait: (timed && random.one_in(3)).then(|| random.micros(0, 5_000)),
            order: *random.pick(&[Order::Fifo, Order::Fifo, Order::Fifo, Order::Lifo]),
            ranked: random.one_in(6),
            varied: random.one_in(2),
            claim_within: *random.pick(&[
                Duration::from_millis(1),
                Duration::from_secs(1),
                Duration::MAX,
            ]),
            ..Self::plain(any_scope(random), limit)
        }
    }

    /// Returns a rate, half the time with random other settings.
    pub(crate) fn rate(random: &mut Random) -> Self {
        let spec = if random.one_in(2) {
            Self::any(random, true)
        } else {
            Self::plain(any_scope(random), 1)
        };
        let per = Some(random.micros(1_000, 10_000));
        Self { limit: random.between(1, 3), total: None, per, max_waiting: None, ..spec }
    }

    /// Returns `true` if a call without options can be refused.
    pub(crate) fn is_fallible(&self) -> bool {
        self.max_waiting.is_some() || self.max_wait.is_some()
    }

    /// Returns `true` if a waiting call may need tokio's timer.
    pub(crate) fn is_timed(&self) -> bool {
        self.per.is_some() || self.max_wait.is_some()
    }

    /// Returns a request at random that fits the limiter.
    pub(crate) fn any_request(&self, random: &mut Random) -> Request {
        let key = self.keyed.then(|| any_key(random));
        if !self.varied {
            return Request { key, ..Request::default() };
        }
        Request {
            key,
            // Now and then the weight is more than the limit, which is refused.
            weight: random.one_in(3).then(|| random.below(self.limit + 2)),
            priority: *random.pick(&[0, 0, 0, 1, 3]),
            max_wait: (self.is_timed() && random.one_in(6)).then(|| random.micros(0, 4_000)),
            enabled: !random.one_in(16),
        }
    }
}

pub(crate) fn any_scope(random: &mut Random) -> Scope {
    *random.pick(&[Scope::Runtime, Scope::Process])
}

/// Returns one of a few keys nearly always, and else a new one.
fn any_key(random: &mut Random) -> Key {
    const USUAL: u32 = 4;
    Key(if random.one_in(8) { random.between(USUAL, u32::MAX - 1) } else { random.below(USUAL) })
}

//! Random operations on limits that adapt. Whatever the controller decides meanwhile, no permit is lost or made, and nobody
//! waits beside free permits.
//! One task polls all calls by hand, on tokio's paused clock, and compares what it has with the figures.

mod random;
mod subject;

use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
use limit_runtime::{Permit, Snapshot};
use random::Random;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;
use std::time::Duration;
use subject::{Call, Subject};
use tokio_test::task::Spawn;

const STEPS: u32 = 25_000;

struct Waiting {
    call: Spawn<Call>,
    weight: u32,
    key: u32,
}

struct Model {
    random: Random,
    subject: Subject,
    waiting: Vec<Waiting>,
    permits: Vec<(Permit, u32)>,
    is_closed: bool,
    /// The limit was set, and may stay for long.
    is_held: bool,
    /// The calls among a hundred that find their backend overloaded.
    overloaded: u32,
    /// As of the last check.
    snapshot: Snapshot,
    admitted: u32,
}

/// Runs a model on a limiter of its own.
async fn run(subject: Subject, seed: u64) {
    let snapshot = subject.snapshot();
    let mut model = Model {
        random: Random(seed),
        subject,
        waiting: Vec::new(),
        permits: Vec::new(),
        is_closed: false,
        is_held: false,
        overloaded: 0,
        snapshot,
        admitted: 0,
    };
    // The calls are polled by hand: tokio is not to count them.
    tokio::task::unconstrained(async {
        for step in 0..STEPS {
            model.overloaded = if step / 500 % 4 == 3 { 40 } else { 1 };
            model.step().await;
            model.check();
        }
        model.end().await;
    })
    .await;
    let adapted = model.subject.snapshot().total.adapted;
    assert!(model.admitted > STEPS / 20, "{} calls were admitted", model.admitted);
    assert!(adapted.total() > 3, "{adapted:?}");
}

impl Model {
    async fn step(&mut self) {
        match self.random.below(1_000) {
            0..350 => self.call(),
            350..600 => self.finish(),
            600..640 => drop(self.random.take(&mut self.waiting)),
            640..680 => self.split(),
            680..720 => self.merge(),
            720..760 => self.try_acquire(),
            760..763 => self.change(),
            763..770 if self.is_held => self.reset(),
            _ => {
                let time = Duration::from_micros(u64::from(self.random.below(100_000)));
                tokio::time::advance(time).await;
            }
        }
    }

    /// Makes a call, and polls it.
    fn call(&mut self) {
        if self.waiting.len() >= 24 {
            return;
        }
        let weight = [1, 1, 1, 1, 2, 2, 3, 9][self.random.below(8) as usize];
        let key = self.random.below(4);
        let priority = u8::try_from(self.random.below(3)).expect("it is small");
        let call = tokio_test::task::spawn(self.subject.acquire(key, weight, priority));
        self.waiting.push(Waiting { call, weight, key });
        self.poll(self.waiting.len() - 1);
    }

    fn poll(&mut self, index: usize) {
        if let Poll::Ready(result) = self.waiting[index].call.poll() {
            let Waiting { weight, key, .. } = self.waiting.swap_remove(index);
            if let Ok(permit) = result {
                assert_eq!(permit.weight(), weight);
                self.admitted += 1;
                self.permits.push((permit, key));
            }
        }
    }

    /// Ends a call that runs.
    fn finish(&mut self) {
        let Some((permit, _)) = self.random.take(&mut self.permits) else { return };
        if self.random.below(100) < self.overloaded {
            return permit.overloaded();
        }
        match self.random.below(100) {
            4 => {
                let time = Duration::from_millis(self.random.below(400).into());
                permit.overloaded_for(time);
            }
            5..8 => permit.ignore(),
            8..10 => {
                let call = AssertUnwindSafe(|| {
                    let _permit = permit;
                    resume_unwind(Box::new("of a test"));
                });
                assert!(catch_unwind(call).is_err());
            }
            _ => drop(permit),
        }
    }

    fn split(&mut self) {
        let Some((mut permit, key)) = self.random.take(&mut self.permits) else { return };
        let weight = 1 + self.random.below(permit.weight());
        let part = permit.split(weight).expect("there are so many");
        if permit.weight() > 0 {
            self.permits.push((permit, key));
        }
        self.permits.push((part, key));
    }

    fn merge(&mut self) {
        let Some((mut permit, key)) = self.random.take(&mut self.permits) else { return };
        if let Some((other, other_key)) = self.random.take(&mut self.permits) {
            match permit.merge(other) {
                Ok(()) => assert!(key == other_key || !self.subject.is_keyed()),
                Err(other) => {
                    assert!(key != other_key && self.subject.is_keyed());
                    self.permits.push((other, other_key));
                }
            }
        }
        self.permits.push((permit, key));
    }

    fn try_acquire(&mut self) {
        let key = self.random.below(4);
        let is_free = self.fits(1, key) && !self.is_closed;
        let (before, result) = (self.limit(), self.subject.try_acquire(key));
        // The call may have ended a question.
        if self.waiting.is_empty() && before == Subject::limit_in(&self.subject.snapshot()) {
            assert_eq!(result.is_ok(), is_free, "{}", self.snapshot);
        }
        self.permits.extend(result.ok().map(|permit| (permit, key)));
    }

    /// Changes a setting.
    fn change(&mut self) {
        let number = self.random.below(12) as usize;
        match self.random.below(8) {
            0 => {
                self.subject.set_limit(number);
                self.is_held = true;
            }
            1 | 2 => self.reset(),
            3 => self.subject.set_max_waiting(number),
            4 => {
                self.subject.close();
                self.is_closed = true;
            }
            5 => {
                self.subject.reopen();
                self.is_closed = false;
            }
            _ => {
                let low = 1 + self.random.below(3) as usize;
                let mut values = SettingValues::default();
                let range = SettingValue::Range { low, high: low + 1 + number };
                values.set(SettingKind::Limit, range).expect("it is a range");
                let result = self.subject.handle().apply(&values);
                assert_eq!(result.is_ok(), !self.subject.is_keyed());
            }
        }
        if self.is_closed && self.random.below(4) > 0 {
            self.check();
            self.subject.reopen();
            self.is_closed = false;
        }
    }

    fn reset(&mut self) {
        self.subject.reset();
        self.is_held = false;
    }

    /// Returns whether a call would not exceed the limit.
    fn fits(&self, weight: u32, key: u32) -> bool {
        let weights = self.permits.iter().map(|(permit, of)| (permit.weight(), *of));
        let (mut all, mut of_key) = (weight, weight);
        for (weight, of) in weights {
            all += weight;
            of_key += if of == key { weight } else { 0 };
        }
        all as usize <= self.limit()
            && (!self.subject.is_keyed() || of_key as usize <= self.snapshot.total.limit)
    }

    /// Returns the limit over all calls.
    fn limit(&self) -> usize {
        Subject::limit_in(&self.snapshot)
    }

    /// Polls the calls that were woken, and compares all there is with the figures.
    fn check(&mut self) {
        let (in_use_before, adapted) = (self.snapshot.total.in_use, self.snapshot.total.adapted);
        // A hold-off may end meanwhile.
        let mut most = Subject::most_in(&self.snapshot);
        loop {
            // A snapshot lets the controller decide again.
            most = most.max(self.subject.limit_before_a_look());
            self.snapshot = self.subject.snapshot();
            most = most.max(Subject::most_in(&self.snapshot));
            if let Some(woken) = self.waiting.iter().position(|waiting| waiting.call.is_woken()) {
                if self.random.below(20) == 0 {
                    // It is cancelled though it may have a permit.
                    self.waiting.swap_remove(woken);
                } else {
                    self.poll(woken);
                }
            } else {
                break;
            }
        }
        let figures = &self.snapshot.total;
        let in_use = self.permits.iter().map(|(permit, _)| permit.weight() as usize).sum();
        assert_eq!((figures.in_use, figures.waiting), (in_use, self.waiting.len()), "{figures}");
        // Nobody can read a total without a look. Of two changes since the last one, the first is not known.
        let is_known = !self.subject.is_keyed() || figures.adapted.total() <= adapted.total() + 1;
        assert!(in_use <= in_use_before || in_use <= most || !is_known, "{figures}");
        assert!(!self.is_closed || self.waiting.is_empty(), "{figures}");
        let heaviest = self.waiting.iter().map(|waiting| waiting.weight).max();
        for waiting in &self.waiting {
            assert!(!self.fits(heaviest.unwrap_or(1), waiting.key), "one waits in vain: {figures}");
        }
    }

    async fn end(&mut self) {
        while let Some(waiting) = self.random.take(&mut self.waiting) {
            drop(waiting);
            drop(self.random.take(&mut self.permits));
            self.check();
        }
        self.permits.clear();
        self.subject.reopen();
        self.subject.reset();
        self.is_closed = false;
        // No verdict lasts longer.
        tokio::time::advance(Duration::from_secs(60)).await;
        self.check();
        self.subject.hold_at(7);
        for key in 0..7 {
            self.permits.push((self.subject.try_acquire(key).expect("one is free"), key));
        }
        assert!(self.subject.try_acquire(8).is_err());
        self.permits.clear();
        self.check();
    }
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_at_a_limit_that_adapts() {
    run(Subject::adaptive("model-adapts", limit_runtime::Order::Fifo), 1).await;
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_at_a_limit_that_serves_the_newest_first() {
    run(Subject::adaptive("model-adapts-lifo", limit_runtime::Order::Lifo), 2).await;
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_where_settings_make_a_limit_adapt() {
    run(Subject::fixed("model-adapts-by-settings"), 3).await;
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_at_a_total_that_adapts() {
    run(Subject::keyed("model-adapts-keys"), 4).await;
}

//! Limiters before one backend, in virtual time, event by event.

mod event;
mod outcome;
mod watch;

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use fastrand::Rng;

use crate::contender::{Contender, Sample};
use crate::scenarios::{Load, Phase, Scenario, exponential};

use event::{Entry, Event};
pub(crate) use outcome::Outcome;
use watch::Watch;

/// So many calls may wait for a limiter.
const MAX_WAITING: u32 = 200;
/// A backend that refuses takes so long for it.
const REFUSAL: f64 = 0.002;

#[derive(Clone, Copy, Debug)]
struct Call {
    limiter: usize,
    began: f64,
    in_flight: u32,
    work: f64,
}

struct Limiter {
    contender: Box<dyn Contender>,
    in_flight: u32,
    waiting: u32,
    has_backlog: bool,
    has_joined: bool,
    /// The earliest tick that is scheduled.
    tick: f64,
    good: u32,
}

pub(crate) struct Simulation<'a> {
    scenario: &'a Scenario,
    random: Rng,
    now: f64,
    events: BinaryHeap<Entry>,
    number: u64,
    phase: usize,
    calls: Vec<Call>,
    free: Vec<usize>,
    limiters: Vec<Limiter>,
    busy: u32,
    queue: VecDeque<usize>,
    good: u64,
    time: f64,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        seed: u64,
        mut contender: impl FnMut(usize) -> Box<dyn Contender>,
    ) -> Self {
        let limiters = (0..scenario.limiters.len()).map(|index| Limiter {
            contender: contender(index),
            in_flight: 0,
            waiting: 0,
            has_backlog: false,
            has_joined: false,
            tick: f64::INFINITY,
            good: 0,
        });
        let mut simulation = Self {
            scenario,
            random: Rng::with_seed(seed),
            now: 0.0,
            events: BinaryHeap::new(),
            number: 0,
            phase: 0,
            calls: Vec::new(),
            free: Vec::new(),
            limiters: limiters.collect(),
            busy: 0,
            queue: VecDeque::new(),
            good: 0,
            time: 0.0,
        };
        for (index, phase) in scenario.phases.iter().enumerate() {
            simulation.schedule(phase.from, Event::Phase(index));
        }
        for (index, join) in scenario.limiters.iter().enumerate() {
            simulation.schedule(*join, Event::Join(index));
        }
        simulation
    }

    /// Runs to the end, and takes so many points at equal distances.
    pub(crate) fn run(mut self, points: usize) -> Outcome {
        let mut outcome = Outcome::default();
        let step = self.scenario.end / crate::number::count(points.max(1));
        let mut watch = Watch::new(self.scenario);
        while let Some(entry) = self.events.pop() {
            while outcome.points.len() < points
                && crate::number::count(outcome.points.len()) * step <= entry.at
            {
                outcome.points.push(self.point());
            }
            watch
                .see(entry.at, self.limiters.iter().map(|limiter| limiter.contender.limit()).sum());
            if entry.at > self.scenario.end {
                break;
            }
            self.now = entry.at;
            self.handle(entry.event);
        }
        outcome.good = count_of(self.good);
        outcome.time = self.time / outcome.good.max(1.0);
        let sum: f64 = self.limiters.iter().map(|limiter| f64::from(limiter.good)).sum();
        let squares: f64 =
            self.limiters.iter().map(|limiter| f64::from(limiter.good).powi(2)).sum();
        outcome.fairness =
            sum * sum / (squares.max(1.0) * crate::number::count(self.limiters.len()));
        outcome.settled = watch.settled();
        outcome.advice = self.limiters[0].contender.advice();
        outcome
    }

    fn point(&self) -> [f64; 3] {
        let limit: u32 = self.limiters.iter().map(|limiter| limiter.contender.limit()).sum();
        let in_flight: u32 = self.limiters.iter().map(|limiter| limiter.in_flight).sum();
        [f64::from(limit), f64::from(in_flight), crate::number::count(self.queue.len())]
    }

    fn schedule(&mut self, at: f64, event: Event) {
        self.number += 1;
        self.events.push(Entry { at, number: self.number, event });
    }

    fn present(&self) -> &'a Phase {
        &self.scenario.phases[self.phase]
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Phase(phase) => {
                self.phase = phase;
                for limiter in 0..self.limiters.len() {
                    self.load(limiter);
                }
                self.serve();
            }
            Event::Join(limiter) => {
                self.limiters[limiter].has_joined = true;
                self.load(limiter);
            }
            Event::Arrive(limiter, phase) if phase == self.phase => self.arrive(limiter),
            Event::Arrive(..) => {}
            Event::Reach(call) => self.reach(call),
            Event::Done(call) => {
                self.busy -= 1;
                self.serve();
                self.end(call, true);
            }
            Event::Refused(call) => self.end(call, false),
            Event::Tick(limiter) => {
                let entry = &mut self.limiters[limiter];
                // An earlier one was scheduled since.
                if entry.tick.total_cmp(&self.now) != Ordering::Equal {
                    return;
                }
                entry.tick = f64::INFINITY;
                if entry.contender.next_tick().is_some_and(|at| at <= self.now) {
                    entry.contender.tick(self.now, entry.in_flight);
                }
                self.admit(limiter);
            }
        }
    }

    /// Begins the load of the present phase.
    fn load(&mut self, limiter: usize) {
        let load = self.present().load;
        let entry = &mut self.limiters[limiter];
        entry.has_backlog = entry.has_joined && matches!(load, Load::Backlog);
        match load {
            Load::Random(rate) if entry.has_joined => {
                let wait = exponential(1.0 / rate, &mut self.random);
                self.schedule(self.now + wait, Event::Arrive(limiter, self.phase));
            }
            _ => {}
        }
        self.admit(limiter);
    }

    fn arrive(&mut self, limiter: usize) {
        if let Load::Random(rate) = self.present().load {
            let wait = exponential(1.0 / rate, &mut self.random);
            self.schedule(self.now + wait, Event::Arrive(limiter, self.phase));
        }
        let entry = &mut self.limiters[limiter];
        if entry.in_flight < entry.contender.limit() && entry.waiting == 0 {
            self.begin(limiter, false);
        } else if entry.waiting < MAX_WAITING + entry.contender.dip() {
            entry.waiting += 1;
        } else {
            entry.contender.refuse(self.now, entry.in_flight);
        }
        self.admit(limiter);
    }

    /// Lets calls in that wait, while permits are free.
    fn admit(&mut self, limiter: usize) {
        loop {
            let entry = &mut self.limiters[limiter];
            let waits = entry.has_backlog || entry.waiting > 0;
            if !waits || entry.in_flight >= entry.contender.limit() {
                break;
            }
            entry.waiting = entry.waiting.saturating_sub(1);
            self.begin(limiter, true);
        }
        let entry = &mut self.limiters[limiter];
        if let Some(at) = entry.contender.next_tick().filter(|at| *at < entry.tick) {
            // Not before the present, and a little later, lest a rounding makes it come too early for ever.
            entry.tick = at.max(self.now) + 1e-6;
            let at = entry.tick;
            self.schedule(at, Event::Tick(limiter));
        }
    }

    fn begin(&mut self, limiter: usize, waited: bool) {
        let work = self.present().work.draw(&mut self.random);
        let entry = &mut self.limiters[limiter];
        entry.in_flight += 1;
        let call = Call { limiter, began: self.now, in_flight: entry.in_flight, work };
        let number = self.free.pop().unwrap_or(self.calls.len());
        if number == self.calls.len() {
            self.calls.push(call);
        } else {
            self.calls[number] = call;
        }
        entry.contender.begin(number, self.now, waited, entry.in_flight);
        if self.scenario.network > 0.0 {
            let way = self.scenario.network * (0.8 + 0.4 * self.random.f64());
            self.schedule(self.now + way, Event::Reach(number));
        } else {
            self.reach(number);
        }
    }

    fn reach(&mut self, call: usize) {
        let there = crate::number::count(self.queue.len()) + f64::from(self.busy);
        if self.scenario.refuses_over.is_some_and(|most| there >= f64::from(most)) {
            self.schedule(self.now + REFUSAL, Event::Refused(call));
            return;
        }
        self.queue.push_back(call);
        self.serve();
    }

    /// Gives the first calls of the backend's queue to servers that are free.
    fn serve(&mut self) {
        let servers = self.present().servers;
        while self.busy < servers {
            let Some(call) = self.queue.pop_front() else { break };
            self.busy += 1;
            let excess = crate::number::count(self.queue.len()) / f64::from(servers);
            let work = self.calls[call].work * (1.0 + self.scenario.collapse * excess);
            let at = self.done_at(work);
            self.schedule(at, Event::Done(call));
        }
    }

    /// Returns when a server has done so much work that begins it now, at the speeds of the phases.
    fn done_at(&self, mut work: f64) -> f64 {
        let mut at = self.now;
        for (index, phase) in self.scenario.phases.iter().enumerate().skip(self.phase) {
            let until = self.scenario.phases.get(index + 1).map_or(f64::INFINITY, |next| next.from);
            if phase.speed > 0.0 && at + work / phase.speed <= until {
                return at + work / phase.speed;
            }
            work -= (until - at) * phase.speed;
            at = until;
        }
        at
    }

    fn end(&mut self, number: usize, is_good: bool) {
        let call = self.calls[number];
        self.free.push(number);
        let entry = &mut self.limiters[call.limiter];
        let is_full = entry.in_flight >= entry.contender.limit();
        let was_full = is_full && (entry.has_backlog || entry.waiting > 0);
        entry.in_flight -= 1;
        let sample = Sample {
            began: call.began,
            now: self.now,
            in_flight: call.in_flight,
            left: entry.in_flight,
            was_full,
            is_good,
        };
        entry.contender.end(number, &sample);
        if is_good && self.now >= self.scenario.warm_up {
            self.good += 1;
            entry.good += 1;
            self.time += sample.time();
        }
        self.admit(call.limiter);
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 calls")]
fn count_of(calls: u64) -> f64 {
    calls as f64
}

//! A fleet in virtual time: the production node against the production ledger.
//!
//! A test either lets the world [run](World::run), event by event, or moves each part by hand. After
//! each event the [invariants](World::check) must hold.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod servers;

use std::fmt::Write as _;

use limit_fleet::{
    message::{Answer, NodeId, Push, Renewal, Times, Verdict},
    node::Draft,
};
use process::{Call, Clock, Demand, Process, Stage, Step};
use random::Random;
use servers::Servers;

pub(crate) const MS: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const NEVER: u64 = u64::MAX;
/// The times that a user gets without an option.
pub(crate) const DEFAULT: Times = Times { ttl: 6 * SECOND, hold: 0 };

#[derive(Clone, Debug, Hash)]
pub(crate) enum Body {
    Request(Renewal),
    Answer(Answer),
    Push(Push),
    /// The client library tells of an error.
    Error(u64),
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Packet {
    pub(crate) due: u64,
    /// The process that has sent it, or gets it.
    pub(crate) process: usize,
    pub(crate) body: Body,
}

/// What becomes of packets.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Network {
    /// Each packet needs this time.
    Reliable(u64),
    /// Each packet may be lost, doubled or late: percent.
    Faulty { lost: u64, twice: u64, late: u64 },
    /// The test delivers each packet.
    Manual,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) times: Times,
    pub(crate) servers: Servers,
    pub(crate) up: bool,
    pub(crate) processes: Vec<Process>,
    pub(crate) packets: Vec<Packet>,
    pub(crate) network: Network,
    pub(crate) random: Random,
    /// How often a thread is stopped at a step: per thousand.
    pub(crate) pauses: u64,
    /// How long a client waits for an answer.
    pub(crate) patience: u64,
    /// For each key, the most permits at once: the largest opinion of the limit.
    pub(crate) most: Vec<u32>,
    /// For each key, Σ running over time.
    pub(crate) busy: Vec<u64>,
    pub(crate) renewals: u64,
    /// What happened, if it is written down.
    pub(crate) trace: Option<String>,
}

/// The trace does not change what happens.
macro_rules! trace {
    ($world:expr, $($text:tt)*) => {
        if let Some(trace) = &mut $world.trace {
            let _ = write!(trace, "{:>12} ", $world.now);
            let _ = writeln!(trace, $($text)*);
        }
    };
}

impl World {
    pub(crate) fn new(times: Times, keys: usize) -> Self {
        Self {
            now: 0,
            times,
            servers: Servers::new(keys),
            up: true,
            processes: Vec::new(),
            packets: Vec::new(),
            network: Network::Manual,
            random: Random::new(0),
            pauses: 0,
            patience: 500 * MS,
            most: vec![0; keys],
            busy: vec![0; keys],
            renewals: 0,
            trace: None,
        }
    }

    /// Adds a process whose clock is the world's.
    pub(crate) fn join(&mut self, key: usize, limit: u32) -> usize {
        self.join_with(key, limit, Clock { offset: SECOND, rate: 1000 })
    }

    pub(crate) fn join_with(&mut self, key: usize, limit: u32, clock: Clock) -> usize {
        let index = self.processes.len();
        let id = NodeId(format!("p{index}#0"));
        let mut process = Process::new(key, id, self.times, limit, clock);
        process.wake = NEVER;
        process.figures.last_start = self.now;
        self.processes.push(process);
        self.most[key] = self.most[key].max(limit);
        trace!(self, "p{index} joins {key} with {limit}");
        index
    }

    pub(crate) fn set_limit(&mut self, p: usize, limit: u32) {
        trace!(self, "p{p} has the opinion {limit}");
        let process = &mut self.processes[p];
        process.node.set_limit(limit);
        self.most[process.key] = self.most[process.key].max(limit);
        self.touch(p);
    }

    /// Looks after a process at the next event.
    pub(crate) fn touch(&mut self, p: usize) {
        self.processes[p].wake = self.now;
    }

    // The server.

    /// Sends packets to where they go.
    fn post(&mut self, process: usize, body: Body) {
        let packet = Packet { due: self.now, process, body };
        match self.network {
            Network::Manual => self.packets.push(Packet { due: NEVER, ..packet }),
            Network::Reliable(latency) => {
                self.packets.push(Packet { due: self.now + latency, ..packet });
            }
            Network::Faulty { lost, twice, late } => {
                let copies = 1 + u32::from(self.random.percent(twice));
                for _ in 0..copies {
                    if self.random.percent(lost) {
                        trace!(self, "lost: p{process} {:?}", packet.body);
                        continue;
                    }
                    let delay = if self.random.percent(late) { self.delay() } else { MS / 4 };
                    self.packets.push(Packet { due: self.now + delay, ..packet.clone() });
                }
            }
        }
    }

    /// Draws a time that may matter to the protocol.
    pub(crate) fn delay(&mut self) -> u64 {
        let term = self.times.term();
        let lease = self.times.ttl - self.times.margin();
        let around = self.random.pick(&[
            MS,
            30 * MS,
            60 * MS,
            Times::STEP,
            self.times.ttl / 3,
            lease,
            lease,
            term,
            term + 2 * Times::STEP,
        ]);
        self.random.between(around - around / 8, around + around / 8)
    }

    /// Delivers a packet.
    pub(crate) fn deliver(&mut self, index: usize) {
        let Packet { process: p, body, .. } = self.packets.swap_remove(index);
        match body {
            Body::Request(renewal) if self.up => self.renew(p, &renewal),
            Body::Request(renewal) => self.post(p, Body::Error(renewal.seq)),
            body if self.processes[p].resumes > self.now => {
                // The process is stopped. The packet stays in its socket.
                let due = self.processes[p].resumes;
                self.packets.push(Packet { due, process: p, body });
            }
            body => self.receive(p, &body),
        }
    }

    fn renew(&mut self, p: usize, renewal: &Renewal) {
        let key = self.processes[p].key;
        let before = self.recorded(key);
        let outcome = self.servers.renew(self.now, key, &self.times, renewal);
        self.renewals += 1;
        trace!(self, "{renewal:?}");
        trace!(self, "  → {:?}", outcome.answer);
        for push in outcome.pushes {
            trace!(self, "  → {push:?}");
            if let Some(to) = self.find(&push.node) {
                self.post(to, Body::Push(push));
            }
        }
        self.check_ledger(key, before, renewal, &outcome.answer);
        self.post(p, Body::Answer(outcome.answer));
    }

    /// Returns the process that listens for the pushes of a node.
    fn find(&self, node: &NodeId) -> Option<usize> {
        let number = node.process().strip_prefix('p')?;
        number.parse().ok()
    }

    fn receive(&mut self, p: usize, body: &Body) {
        let process = &mut self.processes[p];
        if !process.alive {
            return;
        }
        let local = process.clock.local(self.now);
        match body {
            Body::Answer(answer) => {
                let counted = process.node.answer(local, answer);
                trace!(self, "p{p} hears {} {}: {counted}", answer.seq, answer.share);
            }
            Body::Error(_) => process.node.give_up(local),
            Body::Push(push) => {
                let counted = process.node.push(local, push);
                trace!(self, "p{p} is told {:?}: {counted}", push.share);
            }
            Body::Request(_) => unreachable!("a request goes to the server"),
        }
        let process = &mut self.processes[p];
        if let (Step::Sent(_), Body::Answer(_) | Body::Error(_)) = (&process.step, body) {
            if !process.node.awaits_answer() {
                process.step = Step::Idle;
            }
        }
        process.publish(self.now);
        self.touch(p);
    }

    // The process.

    /// Begins a message.
    pub(crate) fn begin(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let local = process.clock.local(self.now);
        let draft = process.node.begin(local, process.load());
        process.step = Step::Begun(draft);
    }

    /// Lowers the semaphore for the message that was begun.
    pub(crate) fn lower(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let Step::Begun(draft) = std::mem::replace(&mut process.step, Step::Idle) else {
            panic!("p{p} has begun no message")
        };
        process.limit = process.limit.min(draft.lower_to);
        process.step = Step::Lowered(draft);
    }

    /// Makes and sends the message.
    pub(crate) fn send(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let Step::Lowered(draft) = std::mem::replace(&mut process.step, Step::Idle) else {
            panic!("p{p} is not lowered")
        };
        self.send_draft(p, draft);
    }

    fn send_draft(&mut self, p: usize, draft: Draft) {
        let process = &mut self.processes[p];
        let load = process.load();
        let renewal = process.node.message(draft, load);
        process.refused = false;
        process.step = Step::Sent(process.clock.local(self.now) + self.patience);
        process.figures.messages += 1;
        self.post(p, Body::Request(renewal));
    }

    /// Sends a message at once.
    pub(crate) fn speak(&mut self, p: usize) {
        self.begin(p);
        self.lower(p);
        self.send(p);
    }

    /// Gives the share back and ends.
    pub(crate) fn leave(&mut self, p: usize) {
        trace!(self, "p{p} leaves");
        let process = &mut self.processes[p];
        let draft = process.node.leave(process.clock.local(self.now));
        process.limit = process.limit.min(draft.lower_to);
        process.demand = Demand::None;
        process.waiting = 0;
        self.send_draft(p, draft);
    }

    /// Ends a process without a word.
    pub(crate) fn kill(&mut self, p: usize) {
        trace!(self, "p{p} is killed");
        let process = &mut self.processes[p];
        process.alive = false;
        process.calls.clear();
        process.waiting = 0;
        process.wake = NEVER;
        process.demand = Demand::None;
    }

    /// Stops a process with all its threads.
    pub(crate) fn stop(&mut self, p: usize, until: u64) {
        trace!(self, "p{p} is stopped until {until}");
        let process = &mut self.processes[p];
        process.resumes = process.resumes.max(until);
        for call in &mut process.calls {
            call.at = call.at.max(until);
        }
        process.wake = until;
    }

    /// Draws how long a thread is stopped at a step. Mostly it is not.
    fn pause(&mut self) -> u64 {
        if self.pauses > 0 && self.random.between(1, 1000) <= self.pauses {
            self.delay()
        } else {
            0
        }
    }

    /// Lets calls in that wait: each takes a permit first, then looks at the deadline.
    pub(crate) fn admit(&mut self, p: usize) {
        while self.processes[p].waiting > 0
            && self.processes[p].load().running < self.processes[p].limit
        {
            let pause = self.pause();
            let process = &mut self.processes[p];
            process.waiting -= 1;
            process.calls.push(Call { stage: Stage::Taken, at: self.now + pause, lost: false });
            if pause == 0 && !self.look(p, self.processes[p].calls.len() - 1) {
                break;
            }
        }
    }

    /// A call that has a permit looks at the deadline. Returns whether it runs.
    pub(crate) fn look(&mut self, p: usize, call: usize) -> bool {
        let pause = self.pause();
        let process = &mut self.processes[p];
        if !process.is_open(self.now) {
            process.calls.swap_remove(call);
            process.waiting += 1;
            return false;
        }
        let body = self.random.between(process.body.0, process.body.1);
        let call = &mut process.calls[call];
        call.stage = Stage::Running;
        call.at = self.now + pause + body;
        process.figures.started += 1;
        let waited = self.now - process.figures.last_start;
        process.figures.longest_wait = process.figures.longest_wait.max(waited);
        process.figures.last_start = self.now;
        true
    }

    /// Ends a call that runs.
    pub(crate) fn end(&mut self, p: usize, call: usize) {
        self.processes[p].calls.swap_remove(call);
    }

    /// Does all that a process can do now.
    pub(crate) fn drive(&mut self, p: usize) {
        let process = &mut self.processes[p];
        if !process.alive {
            process.wake = NEVER;
            return;
        }
        if process.resumes > self.now {
            process.wake = process.resumes;
            return;
        }
        self.demand(p);
        loop {
            let process = &mut self.processes[p];
            let local = process.clock.local(self.now);
            match process.step {
                Step::Idle | Step::Sent(_) => {
                    process.publish(self.now);
                    self.admit(p);
                }
                Step::Begun(_) | Step::Lowered(_) => {}
            }
            let process = &mut self.processes[p];
            match process.step {
                Step::Idle => match process.node.speaks_at(local, process.load()) {
                    Some(at) if at <= local => self.begin(p),
                    at => {
                        process.wake = at.map_or(NEVER, |at| process.clock.world(at));
                        break;
                    }
                },
                Step::Begun(_) => self.lower(p),
                Step::Lowered(_) => {
                    self.send(p);
                }
                Step::Sent(until) if until <= local => {
                    trace!(self, "p{p} gives up");
                    process.node.give_up(local);
                    process.step = Step::Idle;
                }
                Step::Sent(until) => {
                    process.wake = process.clock.world(until);
                    break;
                }
            }
            let pause = self.pause();
            if pause > 0 {
                trace!(self, "the thread of p{p} is stopped for {pause}");
                self.processes[p].resumes = self.now + pause;
                self.processes[p].wake = self.now + pause;
                break;
            }
        }
        if let Demand::Every { next, .. } = self.processes[p].demand {
            let process = &mut self.processes[p];
            process.wake = process.wake.min(next);
        }
    }

    /// Lets calls come.
    fn demand(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let before = process.waiting;
        match &mut process.demand {
            Demand::None => {}
            Demand::Clients(clients) => {
                let inside = u32::try_from(process.calls.len()).expect("few calls");
                process.waiting = clients.saturating_sub(inside);
            }
            Demand::Every { mean, next } => {
                while *next <= self.now {
                    process.waiting += 1;
                    *next += self.random.between(1, 2 * *mean);
                }
            }
        }
        if before == 0 && process.waiting > 0 {
            process.figures.last_start = self.now;
        }
    }

    // Time.

    /// Moves time, and nothing else.
    pub(crate) fn advance(&mut self, to: u64) {
        let from = self.now;
        self.now = to;
        for process in &mut self.processes {
            let running =
                process.calls.iter().filter(|call| call.stage == Stage::Running && !call.lost);
            self.busy[process.key] += (to - from) * running.count() as u64;
            let over = process.clock.local(to) >= process.deadline;
            if over && process.clock.local(from) < process.deadline {
                // The lease ends under the calls.
                for call in &mut process.calls {
                    call.lost = true;
                }
            }
        }
    }

    /// Runs the world until a moment.
    pub(crate) fn run(&mut self, until: u64) {
        loop {
            let packet = self.packets.iter().map(|packet| packet.due).min().unwrap_or(NEVER);
            let process = self
                .processes
                .iter()
                .flat_map(|process| process.calls.iter().map(|call| call.at).chain([process.wake]))
                .min()
                .unwrap_or(NEVER);
            let next = packet.min(process).max(self.now);
            if next > until {
                self.advance(until);
                return;
            }
            self.advance(next);
            if packet <= next {
                let index = self.packets.iter().position(|packet| packet.due <= next);
                self.deliver(index.expect("a packet is due"));
            } else {
                for p in 0..self.processes.len() {
                    self.fire(p);
                }
            }
            self.check();
        }
    }

    pub(crate) fn run_for(&mut self, time: u64) {
        self.run(self.now + time);
    }

    /// Does what is due in a process.
    fn fire(&mut self, p: usize) {
        let mut call = 0;
        while call < self.processes[p].calls.len() {
            let Call { at, stage, .. } = self.processes[p].calls[call];
            if at > self.now {
                call += 1;
                continue;
            }
            match stage {
                Stage::Taken => {
                    self.look(p, call);
                }
                Stage::Running => self.end(p, call),
            }
            self.touch(p);
        }
        if self.processes[p].wake <= self.now {
            self.drive(p);
        }
    }

    // The invariants.

    /// Returns Σ recorded shares of a key.
    fn recorded(&self, key: usize) -> u64 {
        let shares = |ledger: &limit_fleet::ledger::Ledger| {
            ledger.view().nodes.iter().map(|node| u64::from(node.share)).sum()
        };
        self.servers.ledger(key).map_or(0, shares)
    }

    /// Checks I2 and I3, of which the ledger knows only when it has seen the server.
    fn check_ledger(&mut self, key: usize, before: u64, renewal: &Renewal, answer: &Answer) {
        if answer.verdict != Verdict::Accepted {
            return;
        }
        let Some(ledger) = self.servers.ledger(key) else { return };
        let view = ledger.view();
        if view.learning {
            return;
        }
        let sum: u64 = view.nodes.iter().map(|node| u64::from(node.share)).sum();
        if sum > before.max(u64::from(view.limit)) {
            self.fail(&format!("I2: {sum} recorded after {before}, limit {}", view.limit));
        }
        let _ = renewal;
        for p in 0..self.processes.len() {
            let process = &self.processes[p];
            let share = process.valid_share(self.now);
            if process.key != key || share == 0 {
                continue;
            }
            let id = process.node.id();
            let recorded =
                view.nodes.iter().find(|node| node.id == *id).map_or(0, |node| node.share);
            if share > recorded {
                self.fail(&format!("I3: p{p} holds {share}, the ledger has {recorded}"));
            }
        }
    }

    /// Checks I1 and I5.
    pub(crate) fn check(&mut self) {
        for key in 0..self.most.len() {
            let (mut shares, mut running) = (0, 0);
            for process in self.processes.iter().filter(|process| process.key == key) {
                shares += process.valid_share(self.now);
                running += process
                    .calls
                    .iter()
                    .filter(|call| call.stage == Stage::Running && !call.lost)
                    .count();
            }
            if shares > self.most[key] {
                self.fail(&format!("I1: shares of {shares} permits are valid"));
            }
            if running > self.most[key] as usize {
                self.fail(&format!("I5: {running} calls run with a lease"));
            }
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}, most {:?}, at {}\n{}",
            self.most,
            self.now,
            self.trace.as_deref().unwrap_or_default()
        )
    }
}

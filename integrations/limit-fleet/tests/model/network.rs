//! The network: packets on their way between processes and the server.

use limit_fleet::message::{Answer, NodeId, Push, Renewal, Times};

use super::{MS, NEVER, World, process::Step};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    Request(Renewal),
    Answer(Answer),
    Push(Push),
    /// The client library tells of an error.
    Error(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Answer,
    Push,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Packet {
    pub(crate) due: u64,
    /// The process that has sent it, or gets it.
    pub(crate) process: usize,
    pub(crate) body: Body,
}

/// The fate of packets.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Network {
    /// Each packet needs this time.
    Reliable(u64),
    /// Each packet may be lost, doubled or late: percent.
    Faulty { lost: u64, twice: u64, late: u64 },
    /// The test delivers each packet.
    Manual,
}

/// Returns the process that listens for the pushes of a node.
fn listener(node: &NodeId) -> usize {
    node.process()[1..].parse().expect("a process is named after its number")
}

impl World {
    /// Sends packets to where they go.
    pub(super) fn post(&mut self, process: usize, body: Body) {
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
            let to = listener(&push.node);
            self.post(to, Body::Push(push));
        }
        self.check_ledger(key, before, &outcome.answer);
        self.post(p, Body::Answer(outcome.answer));
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
}

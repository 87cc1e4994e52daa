//! The steps that a test takes by hand, packet by packet.

use super::{Body, Kind, MS, Packet, World};

impl World {
    /// Takes the oldest packet of a kind from or to a process out of the network.
    pub(crate) fn take(&mut self, p: usize, kind: Kind) -> Body {
        let found = self.packets.iter().position(|packet| {
            packet.process == p
                && kind
                    == match packet.body {
                        Body::Request(_) => Kind::Request,
                        Body::Answer(_) => Kind::Answer,
                        Body::Push(_) => Kind::Push,
                        Body::Error(_) => Kind::Error,
                    }
        });
        self.packets.remove(found.unwrap_or_else(|| panic!("p{p} has no {kind:?} under way"))).body
    }

    /// Lets a packet arrive that was taken out.
    pub(crate) fn put(&mut self, p: usize, body: Body) {
        self.packets.push(Packet { due: self.now, process: p, body });
        self.deliver(self.packets.len() - 1);
        self.check();
    }

    /// Lets the oldest packet of a kind arrive.
    pub(crate) fn arrive(&mut self, p: usize, kind: Kind) {
        let body = self.take(p, kind);
        self.put(p, body);
    }

    /// Lets a process send a message, and the server answer it. The answer stays under way.
    pub(crate) fn ask(&mut self, p: usize) {
        self.speak(p);
        self.arrive(p, Kind::Request);
    }

    /// Lets a process send a message and hear the answer.
    pub(crate) fn talk(&mut self, p: usize) {
        self.ask(p);
        self.arrive(p, Kind::Answer);
    }

    /// Lets time go by while a bystander speaks, so that ledger time goes on.
    pub(crate) fn pass(&mut self, bystander: usize, time: u64) {
        let end = self.now + time;
        while self.now < end {
            self.advance((self.now + 100 * MS).min(end));
            self.talk(bystander);
        }
    }

    /// Sets how many calls of a process wait.
    pub(crate) fn want(&mut self, p: usize, waiting: u32) {
        self.processes[p].waiting = waiting;
    }

    /// Returns the share that a process may use now.
    pub(crate) fn share(&self, p: usize) -> u32 {
        self.processes[p].valid_share(self.now)
    }
}

//! The messages to nodes that have not asked.

use super::Ledger;
use crate::message::{NodeId, Push};

impl Ledger {
    /// Gives free permits to the queue. In a scan, it then asks for the permits that the queue still waits for.
    ///
    /// `speaker` is the node of the message. It has an answer, so it gets no push.
    pub(super) fn tell(&mut self, now: u64, speaker: &NodeId, scanned: bool) -> Vec<Push> {
        let mut pushes = self.raise(now, speaker);
        if scanned && self.queued > 0 && self.free() <= 0 {
            self.ask(speaker, &mut pushes);
        }
        pushes
    }

    fn raise(&mut self, now: u64, speaker: &NodeId) -> Vec<Push> {
        let mut pushes = Vec::new();
        // A node that is raised may queue again, at the tail. It is not raised twice.
        for (_, node) in self.heads.0.clone() {
            let free = u32::try_from(self.free()).unwrap_or(0);
            if free == 0 {
                break;
            }
            if node == *speaker {
                continue;
            }
            let Some(mut record) = self.remove(&node) else { continue };
            if record.end <= self.time {
                continue;
            }
            let fair = record.want.min(self.level.low);
            record.share = fair.max(record.share + 1).min(record.charge().saturating_add(free));
            self.token = self.token.max(now) + 1;
            if record.raised == 0 {
                record.former_ticket = record.ticket;
            }
            record.raised = self.token;
            record.ticket = self.draw();
            pushes.push(Push {
                node: node.clone(),
                seq: record.seq,
                share: Some(record.share),
                token: self.token,
            });
            self.insert(node, record);
        }
        pushes
    }

    fn ask(&mut self, speaker: &NodeId, pushes: &mut Vec<Push>) {
        for (node, record) in &mut self.nodes {
            let mark = record.mark(self.level);
            // A node that has heard of a mark comes down to it without being asked again.
            if node != speaker && record.share > mark && record.heard > mark {
                record.heard = mark;
                pushes.push(Push { node: node.clone(), seq: record.seq, share: None, token: 0 });
            }
        }
    }
}

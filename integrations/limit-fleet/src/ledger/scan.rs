//! The scan of all nodes.

use super::{Heads, Ledger, Level};
use crate::message::Renewal;

impl Ledger {
    /// Returns whether it is time for a scan.
    ///
    /// A scan costs a server about 1 µs for each node. With both distances, all scans of a ledger together take about
    /// 1 % of the server's time.
    pub(super) fn is_scan_due(&self, renewal: &Renewal, claim: u32) -> bool {
        let nodes = self.nodes.len() as u64;
        let distance = self.time - self.scanned;
        // A dead node's share must come back within 0.3 s, and only a scan finds it. The node that waits for it speaks
        // each 0.1 s.
        let due = distance >= (50_000 + 100 * nodes).min(150_000);
        // A queue begins: the nodes with idle permits must hear of it, and only a scan finds them.
        let begins = self.queued == 0
            && claim < renewal.want.min(self.level.high)
            && self.free() <= i64::from(claim.max(renewal.running))
            && distance >= 100 * nodes;
        nodes == 0 || due || begins
    }

    /// Deletes the nodes that have ended, and works out the limit in force, the level and the queue.
    ///
    /// The node of the message is not in the sums.
    pub(super) fn scan(&mut self, renewal: &Renewal) {
        let time = self.time;
        self.nodes.retain(|_, record| record.end > time);
        self.scanned = time;
        let limits = || self.nodes.values().map(|record| record.limit);
        (self.limit, self.most) =
            (limits().fold(renewal.limit, u32::min), limits().fold(renewal.limit, u32::max));
        self.charges = self.nodes.values().map(|record| u64::from(record.charge())).sum();
        self.running = self.nodes.values().map(|record| u64::from(record.running)).sum();
        self.wanted = self.nodes.values().map(|record| u64::from(record.want)).sum();

        let mut wants: Vec<u32> = self.nodes.values().map(|record| record.want).collect();
        wants.push(renewal.want);
        self.level = Level::of(&wants, self.limit);

        let mut queue: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, record)| record.is_queued(self.level))
            .map(|(node, record)| (record.ticket, node))
            .collect();
        queue.sort_unstable();
        self.queued = u32::try_from(queue.len()).unwrap_or(u32::MAX);
        self.heads = Heads(
            queue
                .into_iter()
                .take(Heads::MOST)
                .map(|(ticket, node)| (ticket, node.clone()))
                .collect(),
        );
    }
}

//! A ledger: a stand-in without its guards, until the real one is merged.

use std::collections::BTreeMap;

use crate::message::{Answer, NodeId, Push, Renewal, Server, Times, Verdict};
use crate::view::{NodeView, View};

/// The state of a ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    times: Times,
    token: u64,
    nodes: BTreeMap<NodeId, (Renewal, u32)>,
}

/// What a message leads to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer to the node.
    pub answer: Answer,
    /// The messages to other nodes.
    pub pushes: Vec<Push>,
}

impl Ledger {
    /// Takes a message.
    pub fn renew(
        slot: &mut Option<Self>,
        times: &Times,
        server: &Server,
        renewal: &Renewal,
    ) -> Outcome {
        let ledger =
            slot.get_or_insert_with(|| Self { times: *times, token: 0, nodes: BTreeMap::new() });
        ledger.nodes.remove(&renewal.node);
        let taken: u32 = ledger.nodes.values().map(|(_, share)| share).sum();
        let share = renewal.want.min(renewal.limit.saturating_sub(taken)).max(renewal.claim);
        ledger.nodes.insert(renewal.node.clone(), (renewal.clone(), share));
        ledger.token = ledger.token.max(renewal.token).max(server.now) + 1;
        let waiting = |(renewal, share): &&(Renewal, u32)| renewal.want > *share;
        let pushes = ledger
            .nodes
            .values()
            .filter(|(other, share)| *share > 0 && other.node != renewal.node)
            .filter(|_| renewal.want > share)
            .map(|(other, _)| Push { node: other.node.clone(), seq: other.seq, share: None })
            .collect();
        let answer = Answer {
            seq: renewal.seq,
            verdict: Verdict::Accepted,
            share,
            target: share,
            queued: u32::try_from(ledger.nodes.values().filter(waiting).count())
                .unwrap_or(u32::MAX),
            nodes: u32::try_from(ledger.nodes.len()).unwrap_or(u32::MAX),
            learning: false,
            token: ledger.token,
            limit: renewal.limit,
            in_use: ledger.nodes.values().map(|(renewal, _)| renewal.running).sum(),
        };
        Outcome { answer, pushes }
    }

    /// Returns the ledger as a reader sees it.
    #[must_use]
    pub fn view(&self) -> View {
        let mut view = View::new(self.times);
        view.token = self.token;
        view.limit = self.nodes.values().map(|(renewal, _)| renewal.limit).min().unwrap_or(0);
        view.nodes.extend(self.nodes.iter().map(|(node, (renewal, share))| NodeView {
            node: node.clone(),
            share: *share,
            running: renewal.running,
            want: renewal.want,
            limit: renewal.limit,
            left: self.times.term(),
            position: None,
        }));
        view
    }
}

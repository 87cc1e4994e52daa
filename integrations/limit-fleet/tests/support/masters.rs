//! A cluster of three masters.

use limit_fleet::LedgerName;

use crate::servers::{Server, free_port};
use crate::waiting::until;

/// Three masters, and perhaps a replica of the first.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

pub(crate) fn start_node() -> Server {
    let port = free_port().to_string();
    Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &port,
        "--cluster-node-timeout",
        "1000",
    ])
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| start_node()).collect();
        let slots = ["0 5460", "5461 10922", "10923 16383"];
        for (number, (node, slots)) in nodes.iter().zip(slots).enumerate() {
            node.ask::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)).expect("an epoch");
            node.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {slots}")).expect("slots");
            let bus = nodes[0].bus_port();
            node.ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", nodes[0].port))
                .expect("MEET");
        }
        let cluster = Self { nodes };
        cluster.settle().await;
        cluster
    }

    /// Waits until all nodes know each other.
    pub(crate) async fn settle(&self) {
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        until("the cluster", async || {
            self.nodes
                .iter()
                .all(|node| {
                    let info: String = node.ask("CLUSTER INFO").expect("CLUSTER INFO");
                    info.contains("cluster_state:ok") && info.contains(&known)
                })
                .then_some(())
        })
        .await;
    }

    /// Adds a replica of the first master.
    pub(crate) async fn add_replica(&mut self) {
        let (first, replica) = (&self.nodes[0], start_node());
        replica
            .ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {}", first.port, first.bus_port()))
            .expect("MEET");
        self.nodes.push(replica);
        self.settle().await;
        let replica = &self.nodes[3];
        replica.ask::<()>(&format!("CLUSTER REPLICATE {}", self.id(0))).expect("REPLICATE");
        until("the replica", async || (replica.info("master_link_status") == "up").then_some(()))
            .await;
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// Returns the number of the node that has the ledger, and its slot.
    pub(crate) fn find(&self, ledger: &LedgerName) -> (usize, u16) {
        let slot: u16 =
            self.nodes[0].ask(&format!("CLUSTER KEYSLOT {}", ledger.redis_key())).expect("a slot");
        (usize::from(slot / 5461).min(2), slot)
    }

    pub(crate) fn id(&self, node: usize) -> String {
        self.nodes[node].ask("CLUSTER MYID").expect("an id")
    }
}

impl Server {
    pub(crate) fn bus_port(&self) -> u16 {
        let answer: Vec<String> = self.ask("CONFIG GET cluster-port").expect("CONFIG");
        answer[1].parse().expect("a port")
    }
}

//! Ledgers on several servers.

use limit_fleet::LedgerName;
use serde_json::json;

use crate::masters::Cluster;
use crate::workers::{LEASE, Worker, assert_most_in_all, end, now, until_most};

const LIMIT: usize = 4;

pub(crate) async fn a_slot_moves_while_its_limiter_is_used() {
    let cluster = Cluster::start().await;
    let names: Vec<String> = (0..6).map(|number| format!("db-{number}")).collect();
    let ledgers = names.iter().map(|name| LedgerName::new("test", name));
    let found: Vec<(usize, u16)> = ledgers.map(|ledger| cluster.find(&ledger)).collect();
    assert!(
        (0..3).all(|node| found.iter().any(|(of, _)| *of == node)),
        "each node has one: {found:?}"
    );
    let settings = json!({ "limiters": names, "limit": LIMIT, "tasks": 3, "body": 40 });
    let workers = Worker::start_all(3, &cluster.url(), &settings);
    let workers_by_reference: Vec<&Worker> = workers.iter().collect();
    for name in &names {
        until_most(&workers_by_reference, name, LIMIT, 0).await;
    }

    let (from, slot) = found[0];
    let to = (from + 1) % 3;
    let (source, target) = (&cluster.nodes[from], &cluster.nodes[to]);
    let key = LedgerName::new("test", &names[0]).redis_key();
    let ask = |server: &crate::servers::Server, command: &str| {
        server.ask::<()>(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    };
    ask(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", cluster.id(from)));
    ask(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", cluster.id(to)));
    ask(source, &format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.port));
    for server in [target, source] {
        ask(server, &format!("CLUSTER SETSLOT {slot} NODE {}", cluster.id(to)));
    }
    let moved = now();
    for name in &names {
        until_most(&workers_by_reference, name, LIMIT, moved + LEASE).await;
    }
    let keys: Vec<String> = target.ask("KEYS *").expect("KEYS");
    assert!(keys.contains(&key), "{keys:?}");
    let logs = end(workers);
    for name in &names {
        assert_most_in_all(&logs, name, LIMIT);
    }
}

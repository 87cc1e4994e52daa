//! The server's time for one message, by the number of nodes in the ledger, and the load that this means.

use std::error::Error;
use std::time::Duration;

use limit_fleet::message::{NodeId, Renewal, Times, Verdict};
use limit_fleet::{LeaseStore, LedgerName, RedisStore};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::plan::{Plan, Row};
use crate::report::Section;
use crate::server::{Account, Server};

/// The default lease. A node renews three times in it.
const TIMES: Times = Times { ttl: 6_000_000, hold: 0 };

/// The shortest time between two messages. Fewer nodes than fill it speak more often here than they would.
const PACE: Duration = Duration::from_millis(50);

/// The numbers of nodes.
const NODES: [u32; 3] = [1, 40, 1_000];

/// `true` if the limit is enough for all nodes.
#[derive(Clone, Copy)]
enum Ledger {
    Enough,
    Queue,
}

pub(crate) fn measure(server: &mut Server, plan: &Plan) -> Result<Section, Box<dyn Error>> {
    server.wait_until_older_than(Duration::from_micros(TIMES.term()));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let head = ["nodes", "limit", "us a script", "p99 us", "calls/s", "script core", "Redis core"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let mut rows = Vec::new();
    for (ledger, nodes) in NODES
        .map(|nodes| (Ledger::Enough, nodes))
        .into_iter()
        .chain([(Ledger::Queue, NODES[1]), (Ledger::Queue, NODES[2])])
    {
        let limit = match ledger {
            Ledger::Enough => 2 * nodes,
            Ledger::Queue => nodes / 2,
        };
        let run = runtime.block_on(renew(server, nodes, limit, plan.script))?;
        // Each node renews every third of the lease.
        let calls = f64::from(nodes) / (Duration::from_micros(TIMES.ttl) / 3).as_secs_f64();
        let Account { script_micros, script_p99, .. } = run.account;
        let script_core = calls * script_micros / 1e6;
        let core = calls * run.processor / run.account.calls;
        lines.push(vec![
            nodes.to_string(),
            limit.to_string(),
            format!("{script_micros:.1}"),
            format!("{script_p99:.0}"),
            format!("{calls:.1}"),
            format!("{script_core:.4}"),
            format!("{core:.4}"),
        ]);
        rows.push(json!({
            "nodes": nodes,
            "limit": limit,
            "script_us": script_micros,
            "script_p99_us": script_p99,
            "calls_a_second": calls,
            "script_core": script_core,
            "redis_core": core,
        }));
    }
    let notes = vec![
        "Each node wants one permit. Where the limit is half of the nodes, the other half queues.".to_owned(),
        "calls/s: of so many nodes that renew every 2 s; script core: calls/s times the time of a script".to_owned(),
        "Redis core: calls/s times the server's whole processor time for a call, with its network".to_owned(),
        format!(
            "The messages come as often as in that fleet, but at least every {} ms: the ledger looks at all its nodes \
             by time, not with each message",
            PACE.as_millis()
        ),
    ];
    let title = "script: the server's time for one renewal, by the nodes in the ledger";
    let (name, title) = (Row::Script.name(), title.to_owned());
    Ok(Section { name, title, lines, notes, json: json!(rows), is_sound: true })
}

struct Run {
    account: Account,
    /// The server's processor time, in seconds.
    processor: f64,
}

/// Sends messages of made-up nodes to one ledger for a time.
async fn renew(
    server: &mut Server,
    nodes: u32,
    limit: u32,
    time: Duration,
) -> Result<Run, Box<dyn Error>> {
    let store = RedisStore::new(&server.url())?;
    let ledger = LedgerName::new("benches", format!("script-{nodes}-{limit}"));
    let node = |number| Renewal {
        node: NodeId(format!("made-up.example/{number}/0123456789abcdef#1")),
        seq: 0,
        claim: 0,
        running: 0,
        want: 1,
        limit,
        token: 0,
    };
    let mut renewals: Vec<Renewal> = (0..nodes).map(node).collect();
    // The server has no script before the first ledger of all, and asks for it.
    renewals[0].seq = 1;
    let _asked = store.renew(&ledger, &TIMES, &renewals[0]).await;
    // All nodes get their shares, and the ledger's time goes on by more than a scan.
    for _ in 0..2 {
        for renewal in &mut renewals {
            speak(&store, &ledger, renewal).await?;
        }
    }
    let pace = (Duration::from_micros(TIMES.ttl) / 3 / nodes).min(PACE);
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    server.count_anew()?;
    let (processor, end) = (server.processor_time()?, Instant::now() + time);
    for index in (0..renewals.len()).cycle() {
        ticks.tick().await;
        if Instant::now() >= end {
            break;
        }
        speak(&store, &ledger, &mut renewals[index]).await?;
    }
    Ok(Run { account: server.account()?, processor: server.processor_time()? - processor })
}

/// Sends the next message of a node.
async fn speak(
    store: &RedisStore,
    ledger: &LedgerName,
    renewal: &mut Renewal,
) -> Result<(), Box<dyn Error>> {
    renewal.seq += 1;
    let answer = store.renew(ledger, &TIMES, renewal).await?;
    if answer.verdict != Verdict::Accepted || answer.learning {
        return Err(format!("a ledger grants nothing: {answer:?}").into());
    }
    (renewal.claim, renewal.token) = (answer.share, answer.token);
    // Each permit of the share is used, so the node keeps it.
    renewal.running = answer.share.min(1);
    Ok(())
}

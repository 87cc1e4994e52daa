//! A limit over a fleet, as an agent of the test knows it.

use crate::api::assert_is;
use crate::support::Console;
use limit_runtime::fleet::{self, Agent};
use limit_runtime::{FleetFigures, LedgerFigures, Limiter, LimiterHandle, Member, Scope};
use serde_json::json;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// An agent that knows what the tests tell it.
#[derive(Debug, Default)]
struct Told(Mutex<std::collections::HashMap<String, FleetFigures>>);

impl Agent for Told {
    fn wake(&self, _: &LimiterHandle) {}

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.0.lock().expect("no panic").get(limiter).cloned()
    }
}

static AGENT: LazyLock<Arc<Told>> = LazyLock::new(|| {
    let agent = Arc::<Told>::default();
    fleet::start(Arc::clone(&agent) as Arc<dyn Agent>).expect("it is the first");
    agent
});

fn limiter(name: &'static str, ledgers: Vec<LedgerFigures>) -> Limiter {
    let mut figures = FleetFigures::default();
    figures.ledgers = ledgers;
    AGENT.0.lock().expect("no panic").insert(name.to_owned(), figures);
    let limiter = Limiter::new(name, 12).scope(Scope::Fleet);
    assert!(limiter.try_acquire().is_err(), "the agent grants nothing");
    limiter
}

fn ledger(key: Option<&str>, in_use: usize) -> LedgerFigures {
    let mut member = Member::default();
    "web-1/7/1#1".clone_into(&mut member.node);
    (member.here, member.share, member.running, member.want) = (true, 4, 3, 6);
    let mut ledger = LedgerFigures::default();
    ledger.key = key.map(ToOwned::to_owned);
    (ledger.limit, ledger.limit_here, ledger.in_use, ledger.nodes) = (10, 12, in_use, 3);
    ledger.lease_left = Some(Duration::from_millis(4500));
    ledger.renewals.failed = 2;
    ledger.members.push(member);
    ledger
}

#[tokio::test]
async fn a_limiter_in_a_fleet_is_as_described() {
    let _limiter = limiter("fleet::described", vec![ledger(None, 9)]);
    let console = Console::read_only();
    assert_is("All", &console.get("/api/limiters").await.json());
    let row = console.row("fleet::described").await;
    assert_eq!(row["scope"], "fleet");
    assert_eq!(row["fleet"], json!({"in_use": 9, "limit": 10, "nodes": 3, "keys": null}));

    let detail = console.get("/api/limiter?name=fleet::described").await.json();
    assert_is("Detail", &detail);
    let ledger = &detail["snapshot"]["fleet"]["ledgers"][0];
    assert_eq!(ledger["lease_left"], json!({"secs": 4, "nanos": 500_000_000}));
    assert_eq!(ledger["renewals"], json!({"granted": 0, "refused": 0, "failed": 2}));
    let member = json!({"node": "web-1/7/1#1", "here": true, "share": 4, "running": 3, "want": 6});
    assert_eq!(ledger["members"], json!([member]));
}

#[tokio::test]
async fn a_row_has_the_keys_together_unless_there_is_a_ledger_for_all() {
    let _keys = limiter("fleet::keys", vec![ledger(Some("eu"), 9), ledger(Some("us"), 2)]);
    let _total = limiter("fleet::total", vec![ledger(Some("eu"), 9), ledger(None, 7)]);
    let _none = limiter("fleet::none", Vec::new());
    let console = Console::read_only();
    let row = console.row("fleet::keys").await;
    assert_eq!(row["fleet"], json!({"in_use": 11, "limit": 20, "nodes": 3, "keys": 2}));
    let row = console.row("fleet::total").await;
    assert_eq!(row["fleet"], json!({"in_use": 7, "limit": 10, "nodes": 3, "keys": null}));
    assert_eq!(console.row("fleet::none").await["fleet"], json!(null));
}

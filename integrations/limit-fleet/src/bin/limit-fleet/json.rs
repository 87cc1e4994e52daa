//! The ledgers as a line of JSON.

use std::time::Duration;

use limit_fleet::ledger::View;
use limit_fleet::{LedgerName, StoreError};
use serde_json::{Value, json};

use crate::silence::Silence;

/// Returns a line with all ledgers.
pub(crate) fn text(ledgers: &[(LedgerName, View)]) -> String {
    let ledgers: Vec<Value> = ledgers.iter().map(|(name, view)| ledger(name, view)).collect();
    format!("{}\n", json!({ "ledgers": ledgers }))
}

/// Returns a line with the reason for which there are no ledgers.
pub(crate) fn error(error: &StoreError) -> String {
    format!("{}\n", json!({ "error": error.to_string() }))
}

fn ledger(name: &LedgerName, view: &View) -> Value {
    let silence = Silence::of(view);
    let nodes: Vec<Value> = view
        .nodes
        .iter()
        .map(|node| {
            json!({
                "node": node.id.0,
                "limit": node.limit,
                "share": node.share,
                "running": node.running,
                "want": node.want,
                // At the last message of the ledger.
                "lease_left_seconds": Duration::from_micros(node.left).as_secs_f64(),
                "lease_over": silence.outlasts(node),
                // The smallest ticket is served first; `null` does not wait.
                "ticket": node.ticket,
            })
        })
        .collect();
    json!({
        "namespace": name.namespace,
        "limiter": name.limiter,
        "key": name.key,
        "limit": view.limit,
        "learning": view.learning,
        // In seconds since 1970.
        "last_message": Duration::from_micros(view.last).as_secs_f64(),
        "nodes": nodes,
    })
}

//! All ledgers, for those who look at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::{Cmd, FromRedisValue};
use tokio::time::Instant;

use super::READ_TIMEOUT;
use super::connection::{Request, SharedConnection};
use super::nodes::Nodes;
use super::topology::masters;
use crate::ledger::{Ledger, View};
use crate::{LedgerName, StoreError};

/// The keys that the server looks at in one step.
const STEP: usize = 1000;

/// Reads all ledgers of all servers.
pub(super) async fn read(
    nodes: &Nodes,
    namespace: Option<&str>,
) -> Result<Vec<(LedgerName, View)>, StoreError> {
    let pattern = LedgerName::redis_pattern(namespace);
    let mut ledgers = BTreeMap::new();
    for master in masters(nodes).await? {
        for name in names(&master, &pattern).await? {
            // The ledger may be gone by now.
            if let Some(view) = find(nodes, &name).await? {
                ledgers.insert(name, view);
            }
        }
    }
    Ok(ledgers.into_iter().collect())
}

/// Reads one ledger. Returns `None` if there is none, or something else is under its key.
pub(super) async fn find(nodes: &Nodes, name: &LedgerName) -> Result<Option<View>, StoreError> {
    let key = name.redis_key();
    let mut command = redis::cmd("HGETALL");
    command.arg(&key);
    let fields: Vec<(Vec<u8>, Vec<u8>)> = nodes.query(&key, &command, READ_TIMEOUT).await?;
    let fields = fields.iter().map(|(field, value)| (&**field, &**value));
    Ok(Ledger::parse(fields).ok().map(|ledger| ledger.view()))
}

/// Returns the names of the ledgers of one server.
async fn names(
    server: &Arc<SharedConnection>,
    pattern: &str,
) -> Result<Vec<LedgerName>, StoreError> {
    let mut names = Vec::new();
    let mut cursor = 0_u64;
    loop {
        let mut command = redis::cmd("SCAN");
        command
            .arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(STEP)
            .arg("TYPE")
            .arg("hash");
        let (next, keys): (u64, Vec<Vec<u8>>) = ask(server, &command).await?;
        let keys = keys.iter().filter_map(|key| std::str::from_utf8(key).ok());
        names.extend(keys.filter_map(LedgerName::from_redis_key));
        if next == 0 {
            return Ok(names);
        }
        cursor = next;
    }
}

async fn ask<T: FromRedisValue>(
    server: &Arc<SharedConnection>,
    command: &Cmd,
) -> Result<T, StoreError> {
    let deadline = Instant::now() + READ_TIMEOUT;
    server
        .query(Request::One(command), deadline, READ_TIMEOUT)
        .await
        .map_err(|failure| failure.error)
}

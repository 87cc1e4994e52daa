//! All ledgers, for those who look at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::connection::{READ_TIMEOUT, SharedConnection};
use super::nodes::Nodes;
use super::topology::masters;
use crate::ledger::{Ledger, View};
use crate::{LedgerName, StoreError};

/// The keys that the server looks at in one step.
const STEP: usize = 1000;
/// The ledgers that are asked for at the same time.
const TOGETHER: usize = 32;

/// Reads all ledgers of all servers.
pub(super) async fn read(
    nodes: &Nodes,
    namespace: Option<&str>,
) -> Result<Vec<(LedgerName, View)>, StoreError> {
    let pattern = LedgerName::redis_pattern(namespace);
    let mut ledgers = BTreeMap::new();
    for master in masters(nodes).await? {
        for names in names(&master, &pattern).await?.chunks(TOGETHER) {
            let views = names.iter().map(|name| find(nodes, name));
            for (name, view) in names.iter().zip(try_join_all(views).await?) {
                ledgers.extend(view.map(|view| (name.clone(), view)));
            }
        }
    }
    Ok(ledgers.into_iter().collect())
}

/// Reads one ledger. Returns `None` if there is none, or one of another version.
pub(super) async fn find(nodes: &Nodes, name: &LedgerName) -> Result<Option<View>, StoreError> {
    let key = name.redis_key();
    let mut command = redis::cmd("HGETALL");
    command.arg(&key);
    // By its key, because it may be on its way to another node of a cluster.
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
        let (next, keys): (u64, Vec<Vec<u8>>) =
            server.ask(&command).await.map_err(|failure| failure.error)?;
        let keys = keys.iter().filter_map(|key| std::str::from_utf8(key).ok());
        names.extend(keys.filter_map(LedgerName::from_redis_key));
        if next == 0 {
            return Ok(names);
        }
        cursor = next;
    }
}

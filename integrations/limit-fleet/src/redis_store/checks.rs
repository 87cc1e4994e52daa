//! Checks of a server's version and settings.

use std::sync::Arc;

use redis::InfoDict;

use super::connection::SharedConnection;
use super::topology;
use crate::{StoreError, StoreErrorKind};

/// The first version on which the script was tried.
const VERSION: (u32, u32) = (6, 2);

/// Looks at the version and the settings of all servers. Returns a sentence for each with which the limit may be exceeded,
/// or calls wait.
///
/// It fails if no server can be used.
pub(super) async fn check_all(
    masters: &[Arc<SharedConnection>],
) -> Result<Vec<String>, StoreError> {
    let (mut warnings, mut failures) = (Vec::new(), Vec::new());
    for master in masters {
        match check(master).await {
            Ok(found) => warnings.extend(found),
            Err(error) => failures.push(error),
        }
    }
    if failures.len() == masters.len() {
        return failures.pop().map_or(Ok(warnings), Err);
    }
    // The ledgers of the other servers can be used.
    warnings.extend(failures.iter().map(ToString::to_string));
    Ok(warnings)
}

async fn check(node: &Arc<SharedConnection>) -> Result<Vec<String>, StoreError> {
    let info: InfoDict = node.ask(&redis::cmd("INFO")).await.map_err(|failure| failure.error)?;
    let address = node.origin().address();
    let text = |field: &str| info.get::<String>(field).unwrap_or_default();
    if text("redis_version").is_empty() {
        let message = format!("redis at {address} does not say its version: it is not a redis");
        return Err(StoreError::new(StoreErrorKind::NotRedis, message));
    }
    let cluster = topology::is_cluster(address, &info)?;
    if text("role") == "slave" && !cluster {
        let message = format!(
            "redis at {address} is a replica and takes no writes; use the address of the master, or redis+sentinel:// to follow it"
        );
        return Err(StoreError::new(StoreErrorKind::ReadOnly, message));
    }

    let mut warnings = Vec::new();
    let mut warn = |text: String| warnings.push(format!("redis at {address}: {text}"));
    if version(&text("redis_version")).is_some_and(|version| version < VERSION) {
        warn(format!(
            "version {} is older than 6.2, the oldest that limit-fleet is tested with",
            text("redis_version")
        ));
    }
    let policy = text("maxmemory_policy");
    if !matches!(&*text("maxmemory"), "" | "0") && !matches!(&*policy, "" | "noeviction") {
        warn(format!(
            "maxmemory-policy is {policy}, so that a ledger may be evicted and the limit be exceeded for one lease; set it to noeviction"
        ));
    }
    if text("master_replid2").contains(|digit| digit != '0') {
        warn(
            "it was promoted to master, or has loaded its data from a file, so since then the first use of each limiter and of each key waits for the time of one lease; this is normal after a fail-over"
                .to_owned(),
        );
    }
    let replicated = cluster
        || node.origin().follows_master()
        || info.get::<u64>("connected_slaves").is_some_and(|replicas| replicas > 0);
    if replicated {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg("min-replicas-to-write");
        let answer = node.ask::<Vec<String>>(&command).await;
        match answer.as_deref().map(|answer| answer.get(1).map(String::as_str)) {
            Ok(Some("0")) => warn(
                "min-replicas-to-write is 0, so that a master that is cut off goes on granting and the limit may be doubled; set it to 1"
                    .to_owned(),
            ),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => warn(
                "min-replicas-to-write could not be checked, because CONFIG GET is not permitted; it should be 1"
                    .to_owned(),
            ),
        }
    }
    Ok(warnings)
}

/// Reads the first two numbers of a version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

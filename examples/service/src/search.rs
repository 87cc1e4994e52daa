//! A search in a replica that does more or less at a time: its limit finds itself.

use limit_runtime::concurrency_limit;

use crate::database::Database;
use crate::error::Error;
use crate::replica::Replica;

const SEARCH: &str = "SELECT COUNT(*) FROM orders WHERE cents >= ?";

/// Returns the number of orders of at least this amount.
///
/// Nobody told the limiter how many searches the replica works on at a time. During a backup these are few, so the
/// limit goes down, and calls wait here and not in the replica.
#[concurrency_limit(1..=64, name = "search", max_waiting = 100, max_wait = "2s")]
pub(crate) async fn search(
    database: &Database,
    replica: &Replica,
    cents: u32,
) -> Result<String, Error> {
    let query = sqlx::query_scalar::<_, i64>(SEARCH).bind(cents).fetch_one(&database.pool);
    let orders = replica.run(query).await?;
    Ok(format!("{orders} orders of {}.{:02} or more\n", cents / 100, cents % 100))
}

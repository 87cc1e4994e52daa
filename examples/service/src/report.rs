//! A slow query, the heaviest of the database.

use limit_runtime::concurrency_limit;

use crate::database::{Database, round_trip};
use crate::error::Error;

const REPORT: &str = "
    SELECT tenant, COUNT(*), SUM(cents) FROM orders WHERE month = ? GROUP BY tenant ORDER BY tenant";

/// Returns the sales of a month.
///
/// Users wait for the report, so the queue is long; but no call waits longer than a user would.
#[concurrency_limit(2, name = "report", max_waiting = 60, max_wait = "5s")]
pub(crate) async fn report(database: &Database, month: u32) -> Result<String, Error> {
    round_trip(fastrand::u64(80..140)).await;
    let rows = sqlx::query_as::<_, (String, i64, i64)>(REPORT).bind(month);
    let rows = rows.fetch_all(&database.pool).await?;
    if rows.is_empty() {
        return Err(Error::NotFound(format!("there is no month {month}")));
    }
    let lines = rows.iter().map(|(tenant, orders, cents)| {
        format!("{tenant:<8} {orders:>6} orders {:>8}.{:02}\n", cents / 100, cents % 100)
    });
    Ok(lines.collect())
}

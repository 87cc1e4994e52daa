//! The orders of a tenant: an endpoint where no tenant can block the others.

use limit_runtime::concurrency_limit;

use crate::database::{Database, round_trip};
use crate::error::Error;

const ORDERS: &str = "SELECT COUNT(*), COALESCE(SUM(cents), 0) FROM orders WHERE tenant = ?";

/// Returns a summary of a tenant's orders.
///
/// Each tenant has three permits and a queue of its own. All tenants together have twelve permits,
/// which go to the tenants in turn.
#[concurrency_limit(3, key = tenant, total = 12, name = "orders", max_waiting = 10, max_wait = "2s")]
pub(crate) async fn orders(database: &Database, tenant: String) -> Result<String, Error> {
    round_trip(fastrand::u64(40..80)).await;
    let row = sqlx::query_as::<_, (i64, i64)>(ORDERS).bind(&tenant);
    let (orders, cents) = row.fetch_one(&database.pool).await?;
    if orders == 0 {
        return Err(Error::NotFound(format!("there is no tenant {tenant}")));
    }
    Ok(format!("{tenant}: {orders} orders, {}.{:02}\n", cents / 100, cents % 100))
}

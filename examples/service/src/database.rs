//! The database: a year's orders in `SQLite`, generated at the start and deleted at the end.

use std::time::Duration;

use anyhow::Context;
use sqlx::ConnectOptions;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::time::sleep;

/// An open database with orders.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) pool: SqlitePool,
    /// The directory of the database file, which its drop deletes.
    _directory: TempDir,
}

const TABLE: &str = "
    CREATE TABLE orders (
        number INTEGER PRIMARY KEY,
        month INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        cents INTEGER NOT NULL
    )";

const INDEX: &str = "CREATE INDEX orders_of_tenant ON orders (tenant)";

/// The statement that generates the orders by arithmetic.
const FILL: &str = "
    WITH RECURSIVE numbers (number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 24000
    )
    INSERT INTO orders
    SELECT
        number,
        1 + number % 12,
        CASE number % 5
            WHEN 0 THEN 'noisy' WHEN 1 THEN 'north' WHEN 2 THEN 'east' WHEN 3 THEN 'south' ELSE 'west'
        END,
        100 + number * 7919 % 50000
    FROM numbers";

impl Database {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let directory = TempDir::new().context("cannot make a directory for the database")?;
        let file = directory.path().join("orders.sqlite");
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .disable_statement_logging();
        // The limits decide how many queries run at once. The pool has a connection for each query
        // with a permit, because a limiter does not see a wait for a connection.
        let pool = SqlitePoolOptions::new().max_connections(40).connect_with(options).await;
        let pool = pool.context("cannot open the database")?;
        for statement in [TABLE, FILL, INDEX] {
            sqlx::query(statement).execute(&pool).await.context("cannot fill the database")?;
        }
        Ok(Self { pool, _directory: directory })
    }
}

/// Simulates the network and the disk of a database on another machine; `SQLite` is local.
pub(crate) async fn round_trip(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds)).await;
}

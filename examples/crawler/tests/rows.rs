//! Reads back the rows that the crawler wrote.

use sqlx::{Connection, SqliteConnection};

use crate::Result;
use crate::site::Site;

/// The path, status, title and detail of a page.
pub(crate) type Row = [String; 4];

const ROWS: &str = "SELECT url, status, title, detail FROM crawled_pages";

/// Evaluates the same expression for a connection to a database of either kind.
macro_rules! with_connection {
    ($database:expr, $connection:ident => $work:expr) => {
        if $database.starts_with("sqlite:") {
            let mut $connection = SqliteConnection::connect($database).await?;
            $work
        } else {
            #[cfg(not(feature = "mysql"))]
            return Err("a database of another kind needs the feature `mysql`".into());
            #[cfg(feature = "mysql")]
            {
                let mut $connection = sqlx::MySqlConnection::connect($database).await?;
                $work
            }
        }
    };
}

/// Returns all rows, in the order of their paths.
pub(crate) async fn rows(database: &str, site: &Site) -> Result<Vec<Row>> {
    let rows: Vec<(String, String, String, String)> = with_connection!(database, connection => {
        sqlx::query_as(ROWS).fetch_all(&mut connection).await?
    });
    let root = site.url("");
    let mut rows: Vec<Row> = rows
        .into_iter()
        .map(|(url, status, title, detail)| {
            let path = url.strip_prefix(&root).unwrap_or(&url).to_owned();
            [path, status, title, detail]
        })
        .collect();
    rows.sort();
    Ok(rows)
}

/// Returns the number of rows, and checks that all of them have `status`.
pub(crate) async fn count(database: &str, status: &str) -> Result<i64> {
    const ALL: &str = "SELECT COUNT(*) FROM crawled_pages";
    const OTHER: &str = "SELECT COUNT(*) FROM crawled_pages WHERE status <> ?";
    let (all, other): (i64, i64) = with_connection!(database, connection => {
        let all = sqlx::query_scalar(ALL).fetch_one(&mut connection).await?;
        (all, sqlx::query_scalar(OTHER).bind(status).fetch_one(&mut connection).await?)
    });
    assert_eq!(other, 0, "rows with a status other than {status}");
    Ok(all)
}

/// Returns the result of the database's own integrity check: `ok` if the database is whole.
pub(crate) async fn integrity(database: &str) -> Result<String> {
    let mut connection = SqliteConnection::connect(database).await?;
    Ok(sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await?)
}

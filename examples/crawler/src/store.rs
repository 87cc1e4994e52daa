//! The database, `SQLite` or (feature `mysql`) `MySQL`, with one row for each page.

#[cfg(feature = "mysql")]
mod mysql;
mod reason;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use limit_runtime::concurrency_limit;
use reqwest::Url;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::page::{LONGEST_URL, Page};

pub(crate) use reason::reason;

const SQLITE_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS crawled_pages (
        url TEXT NOT NULL PRIMARY KEY,
        status TEXT NOT NULL,
        title TEXT NOT NULL,
        detail TEXT NOT NULL
    )";

const LONGEST_TITLE: usize = 500;
const LONGEST_DETAIL: usize = 1000;

const EMPTY: &str = "DELETE FROM crawled_pages";
const WRITE: &str = "REPLACE INTO crawled_pages (url, status, title, detail) VALUES (?, ?, ?, ?)";
const COUNT: &str = "SELECT COUNT(*) FROM crawled_pages";
const READ: &str = "SELECT url, status, title FROM crawled_pages WHERE url = ?";

/// An open database with an empty table `crawled_pages`.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: Pool,
    /// The name of the database for messages: a file, or an address without its password.
    place: String,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

/// The columns `url`, `status` and `title` of a row.
pub(crate) type Row = (String, String, String);

/// Evaluates the same expression for a pool of either kind.
macro_rules! with_pool {
    ($store:expr, $pool:ident => $work:expr) => {
        match &$store.pool {
            Pool::Sqlite($pool) => $work,
            #[cfg(feature = "mysql")]
            Pool::MySql($pool) => $work,
        }
    };
}

impl Store {
    /// Opens the database at `url`, or the default file, and empties the table.
    pub(crate) async fn open(url: Option<&str>) -> anyhow::Result<Self> {
        let (store, table) = match url {
            None => {
                let file = target_directory().join("crawler.sqlite");
                let options = SqliteConnectOptions::new().filename(file);
                (Self::open_sqlite(options).await?, SQLITE_TABLE)
            }
            Some(url) if url.starts_with("sqlite:") => {
                let options = SqliteConnectOptions::from_str(url)
                    .with_context(|| format!("DATABASE_URL {url} is not understood"))?;
                (Self::open_sqlite(options).await?, SQLITE_TABLE)
            }
            #[cfg(feature = "mysql")]
            Some(url) if is_mysql(url) => {
                let (pool, place) = mysql::open(url).await?;
                (Self { pool: Pool::MySql(pool), place }, mysql::TABLE)
            }
            #[cfg(not(feature = "mysql"))]
            Some(url) if is_mysql(url) => bail!(
                "DATABASE_URL names a MySQL database, which this crawler was built without; \
                 build it with the feature: cargo run --release -p crawler --features mysql"
            ),
            Some(_) => bail!(
                "DATABASE_URL must start with mysql://, mariadb:// or sqlite:, \
                 such as mysql://user:password@localhost/crawl"
            ),
        };
        store.prepare(table).await.with_context(|| format!("cannot use the database {store}"))?;
        Ok(store)
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> anyhow::Result<Self> {
        let options = options.create_if_missing(true);
        let file = options.get_filename();
        if file.as_os_str().is_empty() {
            bail!("DATABASE_URL names no file; write it as sqlite:path/to/file");
        }
        let place = shortest(file);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool =
            pool.map_err(|error| anyhow!("cannot open the database {place}: {}", reason(&error)))?;
        Ok(Self { pool: Pool::Sqlite(pool), place })
    }

    async fn prepare(&self, table: &'static str) -> sqlx::Result<()> {
        with_pool!(self, pool => {
            sqlx::query(table).execute(pool).await?;
            sqlx::query(EMPTY).execute(pool).await?;
        });
        Ok(())
    }

    /// Writes a page's row; at most one call runs at once.
    ///
    /// A database in a file allows one writer. Calls wait here, in order, so the database refuses
    /// none of them. The row is committed when the call returns.
    #[concurrency_limit(1)]
    pub(crate) async fn write(&self, page: &Page) -> sqlx::Result<()> {
        let url = cut(page.url.as_str(), LONGEST_URL);
        let status = page.status.to_string();
        let title = cut(&page.title, LONGEST_TITLE);
        let detail = cut(&page.detail, LONGEST_DETAIL);
        with_pool!(self, pool => {
            let row = sqlx::query(WRITE).bind(url).bind(status).bind(title).bind(detail);
            row.execute(pool).await?;
        });
        Ok(())
    }

    /// Returns the number of rows in the table.
    pub(crate) async fn count(&self) -> sqlx::Result<i64> {
        with_pool!(self, pool => sqlx::query_scalar(COUNT).fetch_one(pool).await)
    }

    /// Reads the rows of these pages back from the table.
    pub(crate) async fn read(
        &self,
        urls: impl IntoIterator<Item = &Url>,
    ) -> sqlx::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for url in urls {
            let url = cut(url.as_str(), LONGEST_URL);
            rows.push(with_pool!(self, pool => {
                sqlx::query_as(READ).bind(url).fetch_one(pool).await?
            }));
        }
        Ok(rows)
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

fn is_mysql(url: &str) -> bool {
    url.starts_with("mysql:") || url.starts_with("mariadb:")
}

/// Returns cargo's target directory if this program is there, in `<target>/<profile>/` beside
/// `deps/`, and the current directory otherwise.
fn target_directory() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program.parent().filter(|profile| profile.join("deps").is_dir());
    profile.and_then(Path::parent).map_or_else(PathBuf::new, Path::to_owned)
}

/// Returns `path` relative to the current directory if it is below, or unchanged.
fn shortest(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::new());
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

//! The database, `SQLite` or `MySQL`, with one row for each page.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use limit_runtime::concurrency_limit;
use reqwest::Url;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, MySqlPool, SqlitePool};

use crate::page::{LONGEST_URL, Page};
use crate::site::target_directory;

/// The time that a database may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

// A parsed address is ASCII. With one byte for each character, the longest address fits into the
// 3,072 bytes that InnoDB allows for a key. A title may contain any character.
const MYSQL_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS crawled_pages (
        url VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        status VARCHAR(32) NOT NULL,
        title VARCHAR(500) NOT NULL,
        detail VARCHAR(1000) NOT NULL
    ) DEFAULT CHARACTER SET utf8mb4";

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
    MySql(MySqlPool),
}

impl Store {
    /// Opens the database at `url`, or the default file.
    pub(crate) async fn open(url: Option<&str>) -> anyhow::Result<Self> {
        let store = match url {
            None => {
                let file = target_directory().join("crawler.sqlite");
                Self::open_sqlite(SqliteConnectOptions::new().filename(file)).await?
            }
            Some(url) if url.starts_with("sqlite:") => {
                let options = SqliteConnectOptions::from_str(url)
                    .with_context(|| format!("DATABASE_URL {url} is not understood"))?;
                Self::open_sqlite(options).await?
            }
            Some(url) if url.starts_with("mysql:") || url.starts_with("mariadb:") => {
                Self::open_mysql(url).await?
            }
            Some(_) => bail!(
                "DATABASE_URL must start with mysql://, mariadb:// or sqlite:, \
                 such as mysql://user:password@localhost/crawl"
            ),
        };
        store.prepare().await.with_context(|| format!("cannot use the database {store}"))?;
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

    async fn open_mysql(url: &str) -> anyhow::Result<Self> {
        // No message may quote `url` unchanged, because it may hold a password.
        let place = Url::parse(url).context("DATABASE_URL is not a URL").map(without_password)?;
        let options = MySqlConnectOptions::from_str(url)
            .with_context(|| format!("DATABASE_URL {place} is not understood"))?;
        // The pool would retry until its timeout, and then report only the timeout.
        match tokio::time::timeout(PATIENCE, options.connect()).await {
            Ok(Ok(connection)) => connection.close().await?,
            Ok(Err(error)) => bail!("cannot reach the database {place}: {}", reason(&error)),
            Err(_) => bail!("the database {place} does not answer"),
        }
        let pool = MySqlPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        Ok(Self { pool: Pool::MySql(pool.connect_lazy_with(options)), place })
    }

    async fn prepare(&self) -> sqlx::Result<()> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                sqlx::query(SQLITE_TABLE).execute(pool).await?;
                sqlx::query(EMPTY).execute(pool).await?;
            }
            Pool::MySql(pool) => {
                sqlx::query(MYSQL_TABLE).execute(pool).await?;
                sqlx::query(EMPTY).execute(pool).await?;
            }
        }
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
        match &self.pool {
            Pool::Sqlite(pool) => {
                let row = sqlx::query(WRITE).bind(url).bind(status).bind(title).bind(detail);
                row.execute(pool).await?;
            }
            Pool::MySql(pool) => {
                let row = sqlx::query(WRITE).bind(url).bind(status).bind(title).bind(detail);
                row.execute(pool).await?;
            }
        }
        Ok(())
    }

    /// Returns the number of rows in the table.
    pub(crate) async fn rows(&self) -> sqlx::Result<i64> {
        match &self.pool {
            Pool::Sqlite(pool) => sqlx::query_scalar(COUNT).fetch_one(pool).await,
            Pool::MySql(pool) => sqlx::query_scalar(COUNT).fetch_one(pool).await,
        }
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// Returns the message of the last error in the chain, which the other errors repeat.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Returns `path` relative to the current directory if it is below, or unchanged.
fn shortest(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::new());
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn without_password(mut url: Url) -> String {
    // The call fails only if the address cannot contain a password.
    let _ = url.set_password(None);
    url.set_query(None);
    url.into()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

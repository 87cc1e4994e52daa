//! `MySQL` or `MariaDB`.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Url;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{ConnectOptions, Connection, MySqlPool};

use super::reason::reason;

/// The time that a database may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

// A parsed address is ASCII. With one byte for each character, the longest address fits into the
// 3,072 bytes that InnoDB allows for a key. A title may contain any character.
pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS crawled_pages (
        url VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        status VARCHAR(32) NOT NULL,
        title VARCHAR(500) NOT NULL,
        detail VARCHAR(1000) NOT NULL
    ) DEFAULT CHARACTER SET utf8mb4";

/// Opens the database at `url`. Returns it with its name for messages.
pub(super) async fn open(url: &str) -> anyhow::Result<(MySqlPool, String)> {
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
    Ok((pool.connect_lazy_with(options), place))
}

fn without_password(mut url: Url) -> String {
    // The call fails only if the address cannot contain a password.
    let _ = url.set_password(None);
    url.set_query(None);
    url.into()
}

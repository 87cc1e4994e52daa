//! The command line and the environment.

use std::time::Duration;

use clap::Parser;
use reqwest::Url;

/// Crawl a site, at most three pages at a time, into a database.
///
/// Without --url the crawler crawls a small site that it serves itself, on loopback.
#[derive(Debug, Parser)]
#[command(name = "crawler", after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Crawl from here instead; only links to the same host and port are followed
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Fetch at most so many pages at once [default: 3]
    #[arg(long, value_name = "N", value_parser = from_one_up, allow_negative_numbers = true)]
    pub(crate) limit: Option<usize>,

    /// Stop after so many pages
    #[arg(long, value_name = "N", value_parser = from_one_up, allow_negative_numbers = true, default_value = "1000")]
    pub(crate) max_pages: usize,

    /// Give up on a page after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, default_value = "10")]
    pub(crate) timeout: Duration,
}

const AFTER_HELP: &str = "\
DATABASE_URL says where the rows go: mysql://user:password@host/database (MySQL or MariaDB, with the
feature mysql) or sqlite:path/to/file. When it is not set, they go to crawler.sqlite in cargo's
target directory.
The table crawled_pages is made if missing and emptied first: it holds the latest crawl.

Ctrl-C starts no more pages and lets those under way finish; a second one leaves at once.";

impl Args {
    /// Returns the start page of the command line, if there is one.
    pub(crate) fn url(&self) -> anyhow::Result<Option<Url>> {
        let Some(text) = &self.url else {
            return Ok(None);
        };
        let mut url = Url::parse(text).map_err(|_| {
            anyhow::anyhow!(
                "--url {text} is not a URL; write all of it, as in https://example.com/"
            )
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            anyhow::bail!("--url {text} cannot be crawled; write an http:// or https:// address");
        }
        url.set_fragment(None);
        Ok(Some(url))
    }
}

/// Returns `DATABASE_URL`, if it is set and not empty.
pub(crate) fn database_url() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

fn from_one_up(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("must be a whole number from 1 up".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let error = || "must be a number of seconds above 0, such as 10 or 0.5".to_owned();
    let duration = text.parse().map(Duration::try_from_secs_f64).map_err(|_| error())?;
    duration.ok().filter(|duration| !duration.is_zero()).ok_or_else(error)
}

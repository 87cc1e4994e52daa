//! The result of a crawl.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use reqwest::Url;

use crate::page::Page;
use crate::status::Status;

/// The result of a crawl.
#[derive(Debug)]
pub(crate) struct Crawled {
    /// The first page of the crawl.
    pub(crate) start_page: Page,
    /// The number of pages with each status.
    pub(crate) statuses: BTreeMap<Status, u64>,
    /// The pages that failed.
    pub(crate) failures: Vec<Page>,
    /// The addresses of the pages whose rows were written last, at most [`LAST`].
    pub(crate) last: VecDeque<Url>,
    /// The time that the crawl took.
    pub(crate) elapsed: Duration,
    /// The number of pages seen but not crawled, because of Ctrl-C or `--max-pages`.
    pub(crate) left: usize,
}

/// The number of rows that the program shows at the end.
pub(crate) const LAST: usize = 5;

impl Crawled {
    /// Returns the number of crawled pages.
    pub(crate) fn pages(&self) -> u64 {
        self.statuses.values().sum()
    }
}

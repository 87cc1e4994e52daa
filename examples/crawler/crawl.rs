//! The crawl: a task for each page, spawned as soon as its link is seen.

use std::collections::{BTreeMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Url};
use tokio::signal::ctrl_c;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::Args;
use crate::fetch::{self, fetch};
use crate::page::{LONGEST_URL, Page};
use crate::report::Progress;
use crate::status::Status;
use crate::store::{Store, reason};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Crawled {
    /// How the page went that it all began with.
    pub(crate) start_page: Page,
    /// How many pages have each status.
    pub(crate) statuses: BTreeMap<Status, u64>,
    /// Pages seen but left alone, because Ctrl-C was pressed or there were too many.
    pub(crate) left: usize,
}

/// Crawls from `start` until there is no page left, or Ctrl-C is pressed.
pub(crate) async fn crawl(
    client: Client,
    store: Store,
    start: Url,
    args: &Args,
) -> anyhow::Result<Crawled> {
    let (stop, stopped) = watch::channel(false);
    let visitor = Visitor { client, store, stopped };
    let progress = Progress::new();
    let mut seen = HashSet::from([start.clone()]);
    let mut statuses = BTreeMap::new();
    let mut start_page = None;
    let mut taken = 1;
    let mut done = 0;

    let mut visits = JoinSet::new();
    visits.spawn(visitor.clone().visit(start));
    let mut interrupt = pin!(ctrl_c());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            // First of all, so that it listens from the very beginning.
            biased;
            interrupted = &mut interrupt => {
                interrupted.context("cannot listen for Ctrl-C")?;
                if stop.send_replace(true) {
                    bail!("stopped before the last pages were done");
                }
                interrupt.set(ctrl_c());
                // Polled before the message: it listens from its first poll on.
                let again = poll_fn(|context| Poll::Ready(interrupt.as_mut().poll(context)));
                if again.await.is_ready() {
                    bail!("stopped before the last pages were done");
                }
                let (in_flight, _) = fetch::in_flight_and_queued();
                progress.say(&format!(
                    "stopping: waiting for {in_flight} pages (Ctrl-C again to leave at once)"
                ));
            }
            visit = visits.join_next() => {
                let Some(visit) = visit else { break };
                let Some(mut page) = visit?? else { continue };
                done += 1;
                *statuses.entry(page.status).or_default() += 1;
                // The start page goes alone: `fetch` has been used, and no other page is on its way.
                if let (None, Some(limit)) = (&start_page, args.limit) {
                    fetch::set_limit(limit);
                }
                for link in page.links.drain(..) {
                    if seen.insert(link.clone()) && taken < args.max_pages && !*stop.borrow() {
                        taken += 1;
                        visits.spawn(visitor.clone().visit(link));
                    }
                }
                start_page.get_or_insert(page);
            }
            _ = ticks.tick() => {}
        }
        progress.show(done, taken);
    }
    progress.finish();
    Ok(Crawled {
        start_page: start_page.context("stopped before the first page was begun")?,
        statuses,
        left: seen.len() - done,
    })
}

#[derive(Clone)]
struct Visitor {
    client: Client,
    store: Store,
    stopped: watch::Receiver<bool>,
}

impl Visitor {
    /// Fetches, reads and writes one page; nothing if the crawl was stopped before it began.
    async fn visit(mut self, url: Url) -> anyhow::Result<Option<Page>> {
        if url.as_str().len() > LONGEST_URL {
            let detail = format!("{} characters, not fetched", url.as_str().len());
            let page = Page::without_text(url, Status::UrlTooLong, detail);
            return self.write(page).await;
        }
        let begun = AtomicBool::new(false);
        let answer = {
            let mut fetching = pin!(fetch(&self.client, &url, &begun));
            tokio::select! {
                // This first, so that nobody begins who is handed a permit after the stop.
                biased;
                () = stop_requested(&mut self.stopped) => {
                    if !begun.load(Ordering::Relaxed) {
                        // Dropped while it waits for its permit, the call just leaves the queue.
                        return Ok(None);
                    }
                    fetching.await
                }
                answer = &mut fetching => answer,
            }
        };
        let address = url.clone();
        let page = tokio::task::spawn_blocking(|| Page::read(url, answer)).await;
        let page = page.unwrap_or_else(|_| {
            Page::without_text(address, Status::BrokenOff, "the HTML could not be read".to_owned())
        });
        self.write(page).await
    }

    async fn write(&self, page: Page) -> anyhow::Result<Option<Page>> {
        match self.store.write(&page).await {
            Ok(()) => Ok(Some(page)),
            Err(error) => bail!("cannot write to {}: {}", self.store, reason(&error)),
        }
    }
}

async fn stop_requested(stopped: &mut watch::Receiver<bool>) {
    // An error says that the crawl is over, so there is nothing left to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

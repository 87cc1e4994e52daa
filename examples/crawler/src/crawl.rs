//! The crawl: a task for each page, spawned as soon as a link to the page is seen.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::{Client, Url};
use tokio::signal::ctrl_c;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::Args;
use crate::crawled::{Crawled, LAST};
use crate::fetch::{self, fetch};
use crate::page::{LONGEST_URL, Page};
use crate::report::{Progress, count};
use crate::status::Status;
use crate::store::{Store, reason};

/// Crawls from `start` until no page is left, or until the user presses Ctrl-C.
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
    let (mut failures, mut last) = (Vec::new(), VecDeque::new());
    let begun = Instant::now();
    let mut start_page = None;
    let mut taken = 1;
    let mut done = 0;

    let mut visits = JoinSet::new();
    visits.spawn(visitor.clone().visit(start));
    let mut interrupt = pin!(ctrl_c());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            // Polled first, so that `interrupt` listens from the start.
            biased;
            interrupted = &mut interrupt => {
                interrupted.context("cannot listen for Ctrl-C")?;
                if stop.send_replace(true) {
                    bail!("stopped before the last pages were done");
                }
                interrupt.set(ctrl_c());
                // Polled before the message, because `ctrl_c` listens only from its first poll on.
                let again = poll_fn(|context| Poll::Ready(interrupt.as_mut().poll(context)));
                if again.await.is_ready() {
                    bail!("stopped before the last pages were done");
                }
                let (in_flight, _) = fetch::in_flight_and_queued();
                progress.say(&format!(
                    "stopping: waiting for {} (Ctrl-C again to leave at once)",
                    count(in_flight as u64, "page"),
                ));
            }
            visit = visits.join_next() => {
                let Some(visit) = visit else { break };
                let Some(mut page) = visit?? else { continue };
                done += 1;
                *statuses.entry(page.status).or_default() += 1;
                // The start page is fetched alone: `fetch` has been used, and no other call runs.
                if let (None, Some(limit)) = (&start_page, args.limit) {
                    fetch::set_limit(limit);
                }
                for link in page.links.drain(..) {
                    if seen.insert(link.clone()) && taken < args.max_pages && !*stop.borrow() {
                        taken += 1;
                        visits.spawn(visitor.clone().visit(link));
                    }
                }
                if last.len() == LAST {
                    last.pop_front();
                }
                last.push_back(page.url.clone());
                if page.status.is_failure() {
                    failures.push(page.clone());
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
        failures,
        last,
        elapsed: begun.elapsed(),
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
    /// Fetches, reads and writes one page.
    ///
    /// Returns `None` if the crawl stops before the fetch begins.
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
                // Polled first, so that a call that gets its permit after the stop does not begin.
                biased;
                () = stop_requested(&mut self.stopped) => {
                    if !begun.load(Ordering::Relaxed) {
                        // A call dropped while it waits for its permit leaves the wait list.
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
    // An error means that the crawl is over, so nothing is left to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

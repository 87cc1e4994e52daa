//! The service gets more requests than it can take.

use std::collections::BTreeMap;

use crate::figures::{Figures, Results};
use crate::{PATHS, Result, Service};

/// The settings of a service that admits no call, so that no result depends on timing.
const PAUSED: &str = "['*']\nlimit = 0\nmax_waiting = 3\nmax_wait = '10m'";

fn all(figures: &Figures, figure: fn(&Figures, &str) -> u64, value: u64) -> bool {
    PATHS.iter().all(|(limiter, _)| figure(figures, limiter) == value)
}

fn assert_results(
    service: &str,
    figures: &Figures,
    before: &Figures,
    expected: &[(&'static str, u64)],
) {
    for (limiter, _) in PATHS {
        let expected: Results = expected.iter().copied().collect();
        assert_eq!(figures.since(before, limiter), expected, "{limiter} {service}");
    }
}

#[tokio::test]
async fn who_is_over_the_limit_waits_is_refused_and_is_counted_as_such() -> Result {
    let service = Service::start(PAUSED, &[]).await?;
    let before = service.figures().await?;

    let wait = PATHS.map(|(_, path)| service.clients.ask(path, 3));
    service.until(|figures| all(figures, Figures::waiting, 3)).await?;
    for (_, path) in PATHS {
        for answer in service.clients.ask(path, 4).answers().await? {
            answer.assert_refused("queue_full");
        }
    }
    let figures = service.figures().await?;
    assert_results("when the queue was full", &figures, &before, &[("queue_full", 4)]);

    service.edit("['*']\nlimit = 2", |figures| all(figures, Figures::limit, 2)).await?;
    for (waited, (limiter, _)) in wait.into_iter().zip(PATHS) {
        for answer in waited.answers().await? {
            assert_eq!(answer.status, 200, "{limiter}: {answer:?}");
        }
    }
    let figures = service.until(|figures| all(figures, Figures::in_use, 0)).await?;
    assert_results(
        "when it ran again",
        &figures,
        &before,
        &[("queue_full", 4), ("admitted_after_waiting", 3)],
    );
    Ok(())
}

#[tokio::test]
async fn who_waits_too_long_is_refused_and_who_goes_away_is_forgotten() -> Result {
    let service = Service::start(PAUSED, &[]).await?;
    let before = service.figures().await?;

    let leave = PATHS.map(|(_, path)| service.clients.ask_for_now(path));
    service.until(|figures| all(figures, Figures::waiting, 1)).await?;
    leave.iter().for_each(tokio::task::AbortHandle::abort);
    let figures = service.until(|figures| all(figures, Figures::waiting, 0)).await?;
    assert_results("left by a client", &figures, &before, &[("cancelled", 1)]);

    // The test sees by the limit 1 of `download` that the rest of the edit is in force.
    let brief = "['*']\nlimit = 0\nmax_wait = '20ms'\n['report']\nlimit = 0\nmax_waiting = 4";
    service
        .edit(&format!("{brief}\n['download']\nlimit = 1"), |figures| {
            figures.limit("download") == 1
        })
        .await?;
    service.edit(brief, |figures| figures.limit("download") == 0).await?;
    for (_, path) in PATHS {
        for answer in service.clients.ask(path, 3).answers().await? {
            answer.assert_refused("timed_out");
        }
    }
    let figures = service.figures().await?;
    assert_results("after a while", &figures, &before, &[("cancelled", 1), ("timed_out", 3)]);
    Ok(())
}

#[tokio::test]
async fn in_a_storm_every_request_is_answered_and_counted_once() -> Result {
    let service = Service::start("['report']\nlimit = 8", &[]).await?;
    let before = service.figures().await?;

    let storm = PATHS.map(|(_, path)| service.clients.ask(path, 80));
    let mut counts = Vec::new();
    for (asked, (limiter, _)) in storm.into_iter().zip(PATHS) {
        let answers = asked.answers().await?;
        assert_eq!(answers.len(), 80, "{limiter}");
        let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
        for answer in answers {
            if answer.status == 200 {
                *counted.entry("admitted").or_default() += 1;
            } else {
                let result = answer.refused().ok_or_else(|| format!("{limiter}: {answer:?}"))?;
                answer.assert_refused(result);
                *counted.entry(result).or_default() += 1;
            }
        }
        counts.push((limiter, counted));
    }

    let idle =
        |figures: &Figures| all(figures, Figures::in_use, 0) && all(figures, Figures::waiting, 0);
    let figures = service.until(idle).await?;
    for (limiter, counted) in counts {
        let mut results = figures.since(&before, limiter);
        let admitted = ["admitted_at_once", "admitted_after_waiting"]
            .map(|result| results.remove(result).unwrap_or(0));
        results.insert("admitted", admitted.iter().sum());
        assert_eq!(counted, results, "{limiter}");
    }
    Ok(())
}

#[tokio::test]
async fn a_noisy_tenant_keeps_nobody_else_out() -> Result {
    // No call waits, not even behind others of the same tenant.
    let service = Service::start("['orders']\nmax_waiting = 0", &[]).await?;
    let before = service.figures().await?;
    let noisy = service.clients.ask("orders/noisy", 40);
    let quiet = service.clients.ask("orders/east", 3);
    for answer in quiet.answers().await? {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let answers = noisy.answers().await?;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| {
        answer.assert_refused("queue_full");
    });
    let figures = service.figures().await?;
    let served = u64::try_from(served)?;
    let results = figures.since(&before, "orders");
    assert_eq!(results.get("admitted_at_once"), Some(&(served + 3)), "{results:?}");
    Ok(())
}

//! The file with the settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use limit_config::{Applied, Config, ConfigError, Watcher};
use limit_runtime::settings::SettingKind;
use limit_runtime::{Source, limiters};
use tokio::time::interval;

use crate::utc::time_of_day;

/// The time between two checks of the file.
const LOOK: Duration = Duration::from_millis(500);

/// Applies the file, and each edit of the file as long as the watcher exists.
///
/// Returns `None` if there is no file.
pub(crate) fn watch(path: &Path) -> Result<Option<Watcher>, ConfigError> {
    if !path.exists() {
        println!("no settings: there is no {}; the limits are those in the code\n", path.display());
        return Ok(None);
    }
    let watcher = Config::watch(path).interval(LOOK).start()?;
    println!("settings: {} (edit it now)", path.display());
    tell(&watcher.applied());
    println!();
    Ok(Some(watcher))
}

/// Prints the changes that edits of the file and people on the page make, for ever. The log reports
/// an invalid edit.
pub(crate) async fn tell_changes(watcher: Option<&Watcher>) {
    let mut told = watcher.map(Watcher::applied);
    let mut on_page = changed_on_page();
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let applied = watcher.map(Watcher::applied);
        if applied != told {
            println!("{}  the file of settings was read again", time_of_day());
            applied.iter().for_each(tell);
            told = applied;
        }
        let before = std::mem::replace(&mut on_page, changed_on_page());
        tell_page(&before, &on_page);
    }
}

fn tell(applied: &Applied) {
    for change in applied.changes() {
        println!("settings: {change}");
    }
    for overridden in applied.overridden() {
        println!("settings: {overridden}");
    }
    for pending in applied.pending() {
        println!("settings: {pending}");
    }
}

/// The values that the page has set, by limiter and setting. Nothing else in this program sets
/// values while it runs.
type OnPage = BTreeMap<(String, SettingKind), String>;

fn changed_on_page() -> OnPage {
    let snapshots = limiters().into_iter().map(|limiter| limiter.snapshot());
    let settings = snapshots.flat_map(|snapshot| {
        let settings: Vec<_> = snapshot.settings.iter().collect();
        settings.into_iter().map(move |(kind, setting)| (snapshot.name.clone(), kind, setting))
    });
    let live = settings.filter(|(.., setting)| setting.source == Source::Live);
    live.map(|(limiter, kind, setting)| {
        let value = setting.value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        ((limiter, kind), value)
    })
    .collect()
}

fn tell_page(before: &OnPage, after: &OnPage) {
    let time = time_of_day();
    for ((limiter, kind), value) in after {
        if before.get(&(limiter.clone(), *kind)) != Some(value) {
            println!("{time}  the page set {limiter}: {kind} {value}");
        }
    }
    for (limiter, kind) in before.keys() {
        if !after.contains_key(&(limiter.clone(), *kind)) {
            println!("{time}  the page reset {limiter}: {kind}");
        }
    }
}

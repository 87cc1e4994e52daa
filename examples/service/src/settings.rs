//! The file with the settings.

use std::future::pending;
use std::path::Path;
use std::time::Duration;

use limit_config::{Applied, Config, ConfigError, Watcher};
use tokio::time::interval;

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

/// Prints the changes that edits make, for ever. The log reports an invalid edit.
pub(crate) async fn tell_edits(watcher: Option<&Watcher>) {
    let Some(watcher) = watcher else { return pending().await };
    let mut told = watcher.applied();
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let applied = watcher.applied();
        if applied != told {
            tell(&applied);
            told = applied;
        }
    }
}

fn tell(applied: &Applied) {
    for change in applied.changes() {
        println!("settings: {change}");
    }
    for pending in applied.pending() {
        println!("settings: {pending}");
    }
}

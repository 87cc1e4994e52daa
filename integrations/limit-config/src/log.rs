//! Logs what comes of a watched file.

use crate::applied::Applied;
use crate::config::Config;
use crate::error::ConfigError;
use limit_runtime::{LimiterHandle, limiters};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// Logs an edit of the file.
pub(crate) fn edited(path: &Path, result: &Result<Applied, ConfigError>) {
    match result {
        Ok(applied) => {
            let changed = applied.changes().len();
            tracing::info!(
                target: "limit_config",
                path = %path.display(),
                changed,
                "limits were read again"
            );
        }
        Err(error) => tracing::error!(
            target: "limit_config",
            "{error}; the whole file is not applied: the settings stay as they were"
        ),
    }
}

/// Warns of the names in one version of the file that are probably misspelt: once of each.
pub(crate) struct Misspelt {
    warned: BTreeSet<String>,
    /// The hash of the names in use at the last look.
    names: Option<u64>,
}

impl Misspelt {
    pub(crate) fn new() -> Self {
        Self { warned: BTreeSet::new(), names: None }
    }

    /// Compares the names that mean no limiter with the limiters in use. Most limiters are first used long
    /// after the file was applied, so this is called again and again.
    pub(crate) fn look(&mut self, path: &Path, config: &Config) {
        let limiters = limiters();
        // To compare takes long, and finds nothing new among the same names.
        let names = Some(hash_names(&limiters));
        if std::mem::replace(&mut self.names, names) == names {
            return;
        }
        for pending in config.pending(&limiters) {
            if pending.nearest.is_some() && self.warned.insert(pending.name.clone()) {
                tracing::warn!(target: "limit_config", "{}: {pending}", path.display());
            }
        }
    }
}

fn hash_names(limiters: &[LimiterHandle]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for limiter in limiters {
        limiter.name().hash(&mut hasher);
    }
    hasher.finish()
}

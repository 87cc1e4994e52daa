//! Stands in for the log without the feature `tracing`.

use crate::applied::Applied;
use crate::config::Config;
use crate::error::ConfigError;
use std::path::Path;

pub(crate) fn edited(_path: &Path, _result: &Result<Applied, ConfigError>) {}

pub(crate) struct Misspelt;

impl Misspelt {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as the one that logs")]
    pub(crate) fn look(&mut self, _path: &Path, _config: &Config) {}
}

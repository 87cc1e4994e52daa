//! The lines of a snapshot about what few limiters have.

use super::Snapshot;
use crate::duration_text::duration_text;
use std::fmt;

/// The most limits of single keys that are shown.
const KEYS: usize = 8;

impl Snapshot {
    /// Writes a line about a limit that adapts, one about the limits of single keys, and one about each share.
    pub(super) fn write_parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(figures) = &self.adaptive {
            write!(f, "\n  adapts {}..={}, limit {}", figures.low, figures.high, figures.limit)?;
            if let (Some(base), Some(time)) = (figures.base_time, figures.time) {
                let (base, time) = (duration_text(base), duration_text(time));
                write!(f, ", calls take {time} ({base} without a queue)")?;
            }
            if let Some(advice) = figures.advice {
                write!(f, ", advice {advice}")?;
            }
            if figures.is_frozen {
                f.write_str(", held")?;
            }
            if figures.is_held_off {
                f.write_str(", new calls are held off")?;
            }
        }
        for (number, own) in self.key_limits.iter().take(KEYS).enumerate() {
            let before = if number == 0 { "\n  limits of keys:" } else { "," };
            write!(f, "{before} {} {}", own.key, own.limit)?;
        }
        match self.key_limits.len().saturating_sub(KEYS) {
            0 => {}
            more => write!(f, ", and {more} more")?,
        }
        self.shares.iter().try_for_each(|share| {
            let (name, in_use, waiting) = (&share.name, share.in_use, share.waiting);
            let (guaranteed, at_most) = (share.guaranteed, share.at_most);
            write!(
                f,
                "\n  share {name:16} in use {in_use:>4} (guaranteed {guaranteed:>4}, at most {at_most:>4}) waiting {waiting:>4}"
            )
        })
    }
}

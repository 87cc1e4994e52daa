//! The water level: how a limit is divided among nodes that want more than it.

/// The level L that solves Σ min(want, L) = limit, rounded both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Level {
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Level {
    /// Works out the level. If all wants fit into the limit, the level is the limit.
    pub(super) fn of(wants: &[u32], limit: u32) -> Self {
        if wants.iter().copied().map(u64::from).sum::<u64>() <= u64::from(limit) {
            return Self { low: limit, high: limit };
        }
        let mut low = 0;
        loop {
            // The nodes that want no more than the level get what they want. The others share the rest alike.
            let (mut rest, mut others) = (u64::from(limit), 0);
            for &want in wants {
                if want <= low {
                    rest -= u64::from(want);
                } else {
                    others += 1;
                }
            }
            // Σ want > limit, so a node is left. The quotient is at most the limit.
            let next = u32::try_from(rest / others).unwrap_or(u32::MAX);
            if next == low {
                return Self { low, high: low + u32::from(rest % others > 0) };
            }
            low = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn the_level_fills_the_limit() {
        for (wants, limit, low, high) in [
            (&[][..], 5, 5, 5),
            (&[2, 3], 5, 5, 5),
            (&[3, 3], 5, 2, 3),
            (&[1, 9, 9], 7, 3, 3),
            (&[1, 2, 9, 9], 10, 3, 4),
            (&[2, 2, 9], 7, 3, 3),
            (&[1; 40], 3, 0, 1),
            (&[0, 0, 9], 0, 0, 0),
            (&[u32::MAX; 3], u32::MAX, u32::MAX / 3, u32::MAX / 3),
        ] {
            assert_eq!(Level::of(wants, limit), Level { low, high }, "{wants:?} {limit}");
        }
    }
}

//! Numbers of tokio's ids.

use std::hash::{Hash, Hasher};

/// Returns the number in an id of tokio's. Tokio counts ids up, and shows them only by their hash.
#[inline]
pub(crate) fn number_of(id: impl Hash) -> u64 {
    struct Number(u64);
    impl Hasher for Number {
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.write_u64(u64::from(byte));
            }
        }
        fn write_u64(&mut self, number: u64) {
            self.0 = self.0.rotate_left(8) ^ number;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut number = Number(0);
    id.hash(&mut number);
    number.finish()
}

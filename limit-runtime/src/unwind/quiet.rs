//! Access to a value whose drop is quiet.

use super::Quiet;

impl<T> Quiet<T> {
    pub(crate) fn get(&self) -> &T {
        self.0.as_ref().expect("only a drop takes it")
    }

    #[cfg(feature = "tower")]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("only a drop takes it")
    }

    #[cfg(feature = "http-body")]
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Quiet<U> {
        Quiet::new(map(self.into_inner()))
    }

    /// Returns the value, which may panic again when it is dropped.
    #[cfg(feature = "tower")]
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect("only a drop takes it")
    }
}

//! The limits of a call, in a tuple or an array.

use super::member::{AnyMember, Member};
use crate::keying::Keying;
use crate::permit::{AllPermits, Permit};

/// The limits of an [`AcquireAll`](crate::AcquireAll), as it has them. Sealed.
pub trait Members: sealed::Members {}

pub(crate) mod sealed {
    use super::AnyMember;
    use crate::permit::Permit;

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    pub trait Members {
        /// The guard of all permits.
        type Guard;

        const COUNT: usize;

        fn member(&mut self, number: usize) -> &mut dyn AnyMember;

        fn each(&self, visit: &mut dyn FnMut(&dyn AnyMember));

        /// Makes the guard of the permits, which are given by number.
        fn guard(permit: impl FnMut(usize) -> Permit) -> Self::Guard;
    }
}

/// The [`Members`] of any call.
pub(super) trait AnyMembers {
    fn count(&self) -> usize;
    fn get(&mut self, number: usize) -> &mut dyn AnyMember;
}

impl<M: Members> AnyMembers for M {
    fn count(&self) -> usize {
        M::COUNT
    }

    fn get(&mut self, number: usize) -> &mut dyn AnyMember {
        self.member(number)
    }
}

macro_rules! implement_for_tuples {
    ($($count:literal: $($key:ident $number:tt),+;)+) => {$(
        impl<'a, $($key: Keying),+> Members for ($(Member<'a, $key>,)+) {}

        #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
        impl<'a, $($key: Keying),+> sealed::Members for ($(Member<'a, $key>,)+) {
            type Guard = AllPermits<$count>;

            const COUNT: usize = $count;

            #[inline]
            fn member(&mut self, number: usize) -> &mut dyn AnyMember {
                match number {
                    $($number => &mut self.$number,)+
                    _ => unreachable!("the call has {} limits", $count),
                }
            }

            fn each(&self, visit: &mut dyn FnMut(&dyn AnyMember)) {
                $(visit(&self.$number);)+
            }

            fn guard(permit: impl FnMut(usize) -> Permit) -> AllPermits<$count> {
                AllPermits::new(std::array::from_fn(permit))
            }
        }

        impl<'a, K: Keying> Members for [Member<'a, K>; $count] {}

        #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
        impl<'a, K: Keying> sealed::Members for [Member<'a, K>; $count] {
            type Guard = AllPermits<$count>;

            const COUNT: usize = $count;

            #[inline]
            fn member(&mut self, number: usize) -> &mut dyn AnyMember {
                &mut self[number]
            }

            fn each(&self, visit: &mut dyn FnMut(&dyn AnyMember)) {
                for member in self {
                    visit(member);
                }
            }

            fn guard(permit: impl FnMut(usize) -> Permit) -> AllPermits<$count> {
                AllPermits::new(std::array::from_fn(permit))
            }
        }
    )+};
}

implement_for_tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, F 4;
    6: A 0, B 1, C 2, D 3, F 4, G 5;
    7: A 0, B 1, C 2, D 3, F 4, G 5, H 6;
    8: A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7;
}

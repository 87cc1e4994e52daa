//! Functions that `macro_rules!` makes from fragments of every kind.

use crate::support::{assert_limited, run};
use limit_runtime::{Limiter, concurrency_limit};

const CONST: usize = 2;

static SHARED: Limiter = Limiter::new("fragments-shared", 2);

macro_rules! limit_as {
    ($fragment:ident: $($name:ident = $limit:tt)*) => {
        macro_rules! make {
            ($made:ident, $value:$fragment) => {
                #[concurrency_limit($value)]
                async fn $made() -> &'static str {
                    stringify!($made)
                }
            };
        }
        $(make!($name, $limit);)*
    };
}

limit_as!(expr: expr_literal = 3 expr_const = CONST expr_block = { CONST + 1 } expr_call = (limit()));
limit_as!(literal: literal = 3);
limit_as!(tt: tt_literal = 3 tt_const = CONST tt_group = (CONST * 2));
limit_as!(ident: ident = CONST);
limit_as!(path: path = CONST);
limit_as!(block: block = { CONST });

fn limit() -> usize {
    4
}

macro_rules! whole {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),*) -> $output:ty $body:block
    ) => {
        $(#[$meta])*
        $visibility async fn $name($($argument: $type),*) -> $output $body
    };
}

whole! {
    /// Documented.
    #[concurrency_limit(3)]
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn whole(a: u8, text: Vec<u8>) -> Result<u8, std::num::ParseIntError> {
        let parsed: u8 = "1".parse()?;
        Ok(a + text[0] + parsed)
    }
}

macro_rules! body {
    ($name:ident, $body:expr) => {
        #[concurrency_limit(3)]
        async fn $name(a: u8) -> u8 {
            let _ = a;
            $body
        }
    };
}

body!(body_expression, 1 + 2);
body!(body_block, {
    let mut a = 4;
    a += 1;
    a
});

macro_rules! future {
    ($name:ident, $argument:ident, $type:ty, $body:block) => {
        #[concurrency_limit(3)]
        fn $name($argument: $type) -> impl std::future::Future<Output = $type> $body
    };
}

future!(future, number, u8, { async move { number + 1 } });

macro_rules! future_inside {
    ($name:ident, $future:expr) => {
        #[concurrency_limit(3)]
        fn $name() -> std::pin::Pin<Box<dyn std::future::Future<Output = u8>>> {
            Box::pin($future)
        }
    };
}

future_inside!(future_inside, async { 6 });

macro_rules! arguments {
    ($name:ident, $($arguments:tt)*) => {
        #[concurrency_limit($($arguments)*)]
        async fn $name() -> u8 {
            7
        }
    };
}

arguments!(arguments, 3, name = "fragments-arguments", scope = process);

macro_rules! options {
    ($name:ident, $text:expr, $scope:ident, $env:literal, $crate_path:path) => {
        #[concurrency_limit(3, name = $text, scope = $scope, env = $env, crate = $crate_path)]
        async fn $name() -> u8 {
            8
        }
    };
}

options!(options, "fragments-options", process, "LIMIT_CONFORMANCE_UNSET", ::limit_runtime);

macro_rules! limiter {
    ($name:ident, $limiter:expr) => {
        #[concurrency_limit(limiter = $limiter)]
        async fn $name() -> u8 {
            9
        }
    };
}

limiter!(limiter, SHARED);

macro_rules! item {
    ($item:item) => {
        #[concurrency_limit(3)]
        $item
    };
}

item! {
    async fn item() -> u8 {
        10
    }
}

macro_rules! attribute {
    ($meta:meta, $name:ident) => {
        #[$meta]
        async fn $name() -> u8 {
            11
        }
    };
}

attribute!(concurrency_limit(3), attribute);

macro_rules! hygienic {
    ($name:ident, $limit:expr, $argument:ident, $value:expr) => {
        #[concurrency_limit($limit)]
        async fn $name(limit: u8, $argument: u8) -> u8 {
            limit + $value
        }
    };
}

// The macro's own argument `limit` is not the function `limit` that is passed in.
hygienic!(hygienic, limit(), other, other);

macro_rules! lifetimes {
    ($lifetime:lifetime, $pattern:pat, $name:ident) => {
        #[concurrency_limit(3)]
        async fn $name<$lifetime>($pattern: (u8, u8), text: &$lifetime str) -> &$lifetime str {
            text
        }
    };
}

lifetimes!('a, (_, _), lifetimes);

struct Methods;

macro_rules! methods {
    ($self:ident, $($name:ident)*) => {
        impl Methods {
            $(
                #[concurrency_limit(3)]
                async fn $name(&$self) -> &Self {
                    $self
                }
            )*
        }
    };
}

methods!(self, one_method another_method);

#[test]
fn a_limit_may_come_in_as_any_fragment() {
    run(async {
        assert_eq!(expr_literal().await, "expr_literal");
        assert_eq!(expr_const().await, "expr_const");
        assert_eq!(expr_block().await, "expr_block");
        assert_eq!(expr_call().await, "expr_call");
        assert_eq!(literal().await, "literal");
        assert_eq!(tt_literal().await, "tt_literal");
        assert_eq!(tt_const().await, "tt_const");
        assert_eq!(tt_group().await, "tt_group");
        assert_eq!(ident().await, "ident");
        assert_eq!(path().await, "path");
        assert_eq!(block().await, "block");
        assert_eq!(arguments().await, 7);
        assert_eq!(options().await, 8);
        assert_eq!(limiter().await, 9);
        assert_eq!(attribute().await, 11);
        assert_eq!(hygienic(1, 2).await, 3);
    });
    let functions = [
        "expr_literal",
        "expr_const",
        "expr_block",
        "expr_call",
        "literal",
        "tt_literal",
        "tt_const",
        "tt_group",
        "ident",
        "path",
        "block",
        "attribute",
        "hygienic",
    ];
    assert_limited(module_path!(), &functions);
    assert!(limit_runtime::find("fragments-arguments").is_some());
    assert!(limit_runtime::find("fragments-options").is_some());
}

#[test]
fn a_body_may_come_in_as_any_fragment() {
    run(async {
        assert_eq!(whole(1, vec![2]).await, Ok(4));
        assert_eq!(body_expression(0).await, 3);
        assert_eq!(body_block(0).await, 5);
        assert_eq!(future(4).await, 5);
        assert_eq!(future_inside().await, 6);
        assert_eq!(item().await, 10);
        assert_eq!(lifetimes((1, 2), "x").await, "x");
        let methods = Methods;
        methods.one_method().await.another_method().await;
    });
    let functions = [
        "whole",
        "body_expression",
        "body_block",
        "future",
        "future_inside",
        "item",
        "lifetimes",
        "one_method",
        "another_method",
    ];
    assert_limited(module_path!(), &functions);
}

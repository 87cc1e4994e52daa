//! The checker against small trees that are made up.

use crate::arrows::{arrows, mentions};
use crate::circles::circles;
use crate::layers::Layer;
use crate::order::violations;
use crate::tree::Tree;

const ORDER: &[Layer] = &[
    Layer { name: "ground", modules: &["ground", "cellar"], beside: true },
    Layer { name: "first floor", modules: &["first"], beside: false },
    Layer { name: "roof", modules: &["roof", "tower"], beside: false },
    Layer { name: "front", modules: &["lib"], beside: false },
];

/// Reads a tree whose root is `src/lib.rs`.
fn tree(files: &[(&str, &str)]) -> Tree {
    let read = |path: &str| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    };
    Tree::read("src/lib.rs", &read).unwrap_or_else(|error| panic!("{error}"))
}

/// The imports, as `from:line to`, with the names of the files without directory and ending.
fn drawn(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    let short = |file: usize| tree.files[file].trim_start_matches("src/").trim_end_matches(".rs");
    let mut drawn: Vec<String> = arrows(&tree)
        .iter()
        .map(|arrow| format!("{}:{} {}", short(arrow.from), arrow.line, short(arrow.to)))
        .collect();
    drawn.sort();
    drawn.dedup();
    drawn
}

fn upward(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    violations(&tree, &arrows(&tree), ORDER)
}

fn in_circles(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    circles(&tree, &arrows(&tree))
}

/// Three layers, each of which uses the one below.
const CLEAN: [(&str, &str); 4] = [
    ("src/lib.rs", "mod first; mod ground; mod roof; pub use roof::Roof;"),
    ("src/ground.rs", "pub struct Ground;"),
    ("src/first.rs", "use crate::ground::Ground; pub struct First(Ground);"),
    ("src/roof.rs", "use crate::{first::First, ground::Ground}; pub struct Roof(First, Ground);"),
];

/// The clean tree with another text in one of its files.
fn clean_but(file: &str, text: &'static str) -> [(&'static str, &'static str); 4] {
    CLEAN.map(|(name, clean)| (name, if name == file { text } else { clean }))
}

#[test]
fn a_clean_tree_passes() {
    assert_eq!(drawn(&CLEAN), ["first:1 ground", "roof:1 first", "roof:1 ground"]);
    assert!(upward(&CLEAN).is_empty());
    assert!(in_circles(&CLEAN).is_empty());
}

#[test]
fn an_upward_import_is_told_with_file_line_import_and_layers() {
    let found = upward(&clean_but(
        "src/ground.rs",
        "pub struct Ground;\nfn up(_: crate::first::First) {}\n",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    for part in [
        "src/ground.rs:2: `crate::first::First` is defined in src/first.rs. The import goes up",
        "`ground` is in the layer \"ground\", and `first` is above it, in \"first floor\"",
        "Move what both need into the lower layer",
    ] {
        assert!(found[0].contains(part), "{found:?}");
    }
}

#[test]
fn an_import_of_the_root_s_own_items_goes_up() {
    let files = [
        ("src/lib.rs", "mod ground; pub const LIMIT: u32 = 1;"),
        ("src/ground.rs", "use crate::LIMIT; const HALF: u32 = LIMIT / 2;"),
    ];
    assert!(upward(&files)[0].contains("`crate::LIMIT` is defined in src/lib.rs"));
}

#[test]
fn an_import_beside_is_refused_where_modules_are_apart() {
    let apart = [
        ("src/lib.rs", "mod roof; mod tower;"),
        ("src/roof.rs", "pub struct Roof;"),
        ("src/tower.rs", "use crate::roof::Roof; struct Tower(Roof);"),
    ];
    let found = upward(&apart);
    assert!(found.len() == 1 && found[0].contains("goes sideways"), "{found:?}");
    let together = [
        ("src/lib.rs", "mod cellar; mod ground;"),
        ("src/cellar.rs", "pub struct Cellar;"),
        ("src/ground.rs", "use crate::cellar::Cellar; struct Ground(Cellar);"),
    ];
    assert!(upward(&together).is_empty());
}

#[test]
fn a_module_without_a_layer_is_told_once() {
    let files = [
        ("src/lib.rs", "mod attic;"),
        ("src/attic.rs", "mod box_; mod chest;"),
        ("src/attic/box_.rs", ""),
        ("src/attic/chest.rs", ""),
    ];
    let found = upward(&files);
    assert!(found.len() == 1 && found[0].contains("`attic` has no layer"), "{found:?}");
}

#[test]
fn a_circle_of_two_files_is_found() {
    let found = in_circles(&clean_but(
        "src/ground.rs",
        "use crate::first::First;\npub struct Ground;\npub fn up(_: First) {}",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    for part in [
        "2 files import each other in a circle",
        "src/ground.rs:1: `crate::first::First` is defined in src/first.rs",
        "src/first.rs:1: `crate::ground::Ground` is defined in src/ground.rs",
    ] {
        assert!(found[0].contains(part), "{found:?}");
    }
}

#[test]
fn a_circle_of_three_files_is_found_once() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B);"),
        ("src/b.rs", "use crate::c::C; pub struct B(C);"),
        ("src/c.rs", "use crate::a::A; pub struct C(Box<A>);"),
    ];
    let found = in_circles(&files);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("3 files import each other"), "{found:?}");
}

#[test]
fn an_import_through_a_re_export_is_one_of_the_defining_file() {
    let files = [
        ("src/lib.rs", "mod face; mod user; pub use face::Thing;"),
        ("src/face.rs", "mod inner; pub(crate) use inner::{Thing, Thing as Other};"),
        ("src/face/inner.rs", "pub struct Thing;"),
        ("src/user.rs", "use crate::Thing;\nuse crate::face::Other;\nfn f(_: Thing, _: Other) {}"),
    ];
    assert_eq!(drawn(&files), ["user:1 face/inner"]);
}

#[test]
fn an_import_through_a_glob_is_one_of_the_defining_file() {
    let files = [
        ("src/lib.rs", "mod face; mod user;"),
        ("src/face.rs", "mod inner; pub(crate) use inner::*;"),
        ("src/face/inner.rs", "pub struct Thing;"),
        ("src/user.rs", "use crate::face::Thing; struct User(Thing);"),
    ];
    assert_eq!(drawn(&files), ["user:1 face/inner"]);
}

#[test]
fn a_re_export_of_what_lies_elsewhere_is_an_import() {
    let files = [
        ("src/lib.rs", "mod ground; mod roof;"),
        ("src/ground.rs", "pub(crate) use crate::roof::Roof;"),
        ("src/roof.rs", "pub struct Roof;"),
    ];
    assert_eq!(drawn(&files), ["ground:1 roof"]);
    assert_eq!(upward(&files).len(), 1);
}

#[test]
fn a_child_that_extends_a_type_of_its_parent_is_no_circle() {
    let files = [
        ("src/lib.rs", "mod state;"),
        ("src/state.rs", "mod rate; pub struct State; impl State { fn f(&self) { self.rate() } }"),
        ("src/state/rate.rs", "use super::State; impl State { pub fn rate(&self) {} }"),
    ];
    assert_eq!(drawn(&files), ["state/rate:1 state"]);
    assert!(in_circles(&files).is_empty());
}

#[test]
fn a_parent_and_a_child_that_use_each_other_s_definitions_are_a_circle() {
    for parent in [
        "mod rate; use rate::Rate; pub struct State(Rate);",
        "mod rate; pub struct State(rate::Rate);",
        "mod rate; pub(crate) use rate::Rate; pub struct State(Rate);",
        "mod rate; pub struct State; fn f() { let _ = rate::Rate; }",
        "mod rate; pub struct State; fn f() { use rate::Rate; }",
        "mod rate; pub struct State; fn f() { assert!(rate::Rate == rate::Rate); }",
    ] {
        let files = [
            ("src/lib.rs", "mod state;"),
            ("src/state.rs", parent),
            ("src/state/rate.rs", "use super::State; pub struct Rate; fn f(_: State) {}"),
        ];
        assert_eq!(in_circles(&files).len(), 1, "{parent}");
    }
}

#[test]
fn what_a_child_takes_through_its_parent_is_an_import_of_the_defining_file() {
    let files = [
        ("src/lib.rs", "mod ground; mod state;"),
        ("src/ground.rs", "pub struct Ground;"),
        ("src/state.rs", "mod rate; use crate::ground::Ground; pub struct State(Ground, rate::R);"),
        ("src/state/rate.rs", "pub struct R(super::Ground);"),
    ];
    let expected = ["state/rate:1 ground", "state:1 ground", "state:1 state/rate"];
    assert_eq!(drawn(&files), expected);
}

#[test]
fn what_only_tests_and_models_import_is_left_out() {
    let files = [
        ("src/lib.rs", "mod ground; mod roof;"),
        (
            "src/ground.rs",
            "pub struct Ground;
             #[cfg(test)] mod tests { use crate::roof::Roof; fn f(_: Roof) {} }
             #[cfg(all(test, limit_loom))] mod models;
             #[cfg(limit_loom)] use crate::roof::Roof;
             impl Ground { #[cfg(test)] fn f(_: crate::roof::Roof) {} }",
        ),
        ("src/roof.rs", "use crate::ground::Ground; pub struct Roof(Ground);"),
    ];
    assert_eq!(drawn(&files), ["roof:1 ground"]);
}

#[test]
fn what_features_and_products_import_is_counted() {
    let files = [
        ("src/lib.rs", "mod ground; mod roof;"),
        (
            "src/ground.rs",
            "#[cfg(any(test, feature = \"a\"))] use crate::roof::Roof;
             #[cfg(not(limit_loom))] use crate::roof::Ridge;
             #[cfg(feature = \"a\")] mod a { fn f(_: crate::roof::Tile) {} }",
        ),
        ("src/roof.rs", "pub struct Roof; pub struct Ridge; pub struct Tile;"),
    ];
    assert_eq!(drawn(&files), ["ground:1 roof", "ground:2 roof", "ground:3 roof"]);
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let files = [
        ("src/lib.rs", "mod caller; mod rows; mod user;"),
        ("src/rows.rs", "mod rows; pub(crate) use rows::Row; pub(crate) fn rows() {}"),
        ("src/rows/rows.rs", "pub(crate) struct Row;"),
        ("src/caller.rs", "use crate::rows::rows; fn f() { rows() }"),
        ("src/user.rs", "use crate::rows::rows::Row; struct User(Row);"),
    ];
    assert_eq!(drawn(&files), ["caller:1 rows", "user:1 rows/rows"]);
}

#[test]
fn twins_for_different_features_are_both_read() {
    let files = [
        (
            "src/lib.rs",
            "#[cfg(feature = \"on\")] mod wall;
             #[cfg(not(feature = \"on\"))] #[path = \"wall/off.rs\"] mod wall;
             mod user;",
        ),
        ("src/wall.rs", "mod clock; pub struct Wall;"),
        ("src/wall/clock.rs", ""),
        ("src/wall/off.rs", "mod below; pub struct Wall;"),
        ("src/wall/below.rs", "pub struct Below;"),
        ("src/user.rs", "struct User(crate::wall::Wall);"),
    ];
    assert_eq!(drawn(&files), ["user:1 wall", "user:1 wall/off"]);
}

#[test]
fn every_way_to_write_a_path_is_read() {
    let of_ground = [
        "use super::ground::Ground as G;",
        "use crate::ground::{self}; struct S(ground::Ground);",
        "use crate::ground as g; fn f() -> g::Ground { g::Ground }",
        "struct S(self::super::ground::Ground);",
        "fn f() { println!(\"{:?}\", crate::ground::Ground) }",
        "macro_rules! m { () => { $crate::ground::Ground } }",
        "#[derive(Clone)] struct S<T: crate::ground::Trait>(T);",
        "#[limit(crate::ground::LIMIT)] fn f() {}",
        "fn f() { <u8 as crate::ground::Trait>::f() }",
        "mod inner { use super::super::ground::Ground; }",
        "use crate::ground::*;",
    ];
    for text in of_ground {
        let files = [
            ("src/lib.rs", "mod first; mod ground;"),
            ("src/first.rs", text),
            ("src/ground.rs", "pub struct Ground; pub trait Trait {} pub const LIMIT: u8 = 1;"),
        ];
        assert_eq!(drawn(&files), ["first:1 ground"], "{text}");
    }
}

#[test]
fn names_that_only_look_alike_are_no_import() {
    let not_of_ground = [
        "use std::ground::Ground;",
        "use ::ground::Ground;",
        "fn f(ground: u8) -> u8 { ground }",
        "use super::lock; fn f() { let lock = 1; g(lock) }",
        "fn f<Ground>(_: Ground) {}",
        "/// See [`crate::ground::Ground`].\nstruct S { ground: u8 }",
        "pub(in crate::ground) fn f() {}",
        "fn f(s: S) { println!(\"{}\", s.ground) }",
        "fn f() { enum Ground { A } let _ = Ground::A; }",
    ];
    for text in not_of_ground {
        let files = [
            ("src/lib.rs", "mod first; mod ground;"),
            ("src/first.rs", text),
            ("src/ground.rs", "pub struct Ground;"),
        ];
        let drawn: Vec<String> =
            drawn(&files).into_iter().filter(|arrow| arrow.ends_with("ground")).collect();
        assert!(drawn.is_empty(), "{text}: {drawn:?}");
    }
}

#[test]
fn a_file_that_is_missing_or_is_not_rust_is_named() {
    let none = |path: &str| (path == "src/lib.rs").then(|| String::from("mod missing;"));
    let error = Tree::read("src/lib.rs", &none).err().unwrap();
    assert_eq!(error, "src/missing/mod.rs: no such file");
    let broken = |_: &str| Some(String::from("\nfn f( {}"));
    let error = Tree::read("src/lib.rs", &broken).err().unwrap();
    assert!(error.starts_with("src/lib.rs:2: "), "{error}");
}

#[test]
fn private_modules_of_another_crate_are_found() {
    let tree = tree(&[(
        "src/lib.rs",
        "use limit_runtime::Limiter;\nuse limit_runtime::private::v1::run;\nfn f() { \
         limit_runtime::__private::run() }",
    )]);
    let found: Vec<String> = mentions(&tree, "limit_runtime", &["private", "__private"])
        .into_iter()
        .map(|line| line.split(" is not").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        found,
        [
            "src/lib.rs:2: `limit_runtime::private::v1::run`",
            "src/lib.rs:3: `limit_runtime::__private::run`",
        ]
    );
}

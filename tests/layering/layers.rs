//! The declared order of the layers. This is the one place to change it.

/// Modules of a crate that lie at the same height.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// The files and folders beside the root of the crate, without `.rs`. The root itself is `lib`.
    pub(crate) modules: &'static [&'static str],
    /// `true` if these modules may import each other. In no case may they do so in a circle.
    pub(crate) beside: bool,
}

/// A layer whose modules belong together.
const fn together(name: &'static str, modules: &'static [&'static str]) -> Layer {
    Layer { name, modules, beside: true }
}

/// A layer whose modules know nothing of each other.
const fn apart(name: &'static str, modules: &'static [&'static str]) -> Layer {
    Layer { name, modules, beside: false }
}

/// From the bottom up.
pub(crate) const ORDERS: &[(&str, &[Layer])] = &[
    (
        "limit-runtime",
        &[
            together(
                "foundations",
                &[
                    "adaptive",
                    "boot_clock",
                    "duration_text",
                    "logging",
                    "random",
                    "sync",
                    "tokio_context",
                    "tokio_id",
                    "unwind",
                    "variants",
                    "watcher",
                ],
            ),
            together(
                "values",
                &[
                    "admission",
                    "deadline",
                    "events",
                    "metrics",
                    "policy",
                    "rejected",
                    "scope",
                    "setting",
                    "share",
                ],
            ),
            apart("recorder", &["recorder"]),
            apart("semaphore", &["semaphore"]),
            apart("keying and permit", &["keying", "permit"]),
            apart("blocking", &["blocking"]),
            apart("registry", &["registry"]),
            apart("runtime_id", &["runtime_id"]),
            apart("engine", &["engine"]),
            apart("acquire", &["acquire"]),
            apart("limiter", &["limiter"]),
            apart(
                "features",
                &[
                    "diagnostics",
                    "fleet",
                    "inspect",
                    "private",
                    "responses",
                    "settings",
                    "task",
                    "tower",
                ],
            ),
            together("front", &["guide", "lib"]),
        ],
    ),
    (
        "limit-macros",
        &[
            together("foundations", &["errors", "syntax"]),
            apart("args", &["args"]),
            apart("function", &["function"]),
            apart("expand", &["expand"]),
            apart("front", &["lib"]),
        ],
    ),
    (
        "limit-fleet",
        &[
            together(
                "foundations",
                &["clock_steps", "logging", "message", "name", "process", "store_error"],
            ),
            together("protocol", &["ledger", "node", "script"]),
            apart("store", &["store"]),
            apart("stores", &["memory_store", "redis_store"]),
            apart("thread", &["fleet"]),
            together("front", &["bin", "lib"]),
        ],
    ),
];

/// The modules of limit-runtime that are public for the code of the attribute only.
pub(crate) const PRIVATE: &[&str] = &["private", "__private"];

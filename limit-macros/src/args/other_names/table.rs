//! The table of names.

use crate::args::options::AttributeOption;

/// One thing, and its names in other libraries.
pub(super) struct Row {
    /// The names, in small letters and without underscores. A name may stand in several rows: the
    /// value then decides, or else the first row counts.
    pub(super) names: &'static [&'static str],
    /// The thing in a few words.
    pub(super) thing: &'static str,
    pub(super) here: Here,
}

/// The form in which the attribute has the thing.
#[derive(Clone, Copy)]
pub(super) enum Here {
    /// LIMIT.
    Limit,
    /// A range as LIMIT. The user's value, if it is kept, is this end of it.
    Range(End),
    /// LIMIT beside `per` with this window.
    Rate(&'static str),
    /// An option, which may take the user's value.
    Option(AttributeOption),
    /// `enabled` with the opposite of the user's value.
    NotEnabled,
    /// These words, whatever the user's value.
    Words(&'static str),
}

/// An end of a range.
#[derive(Clone, Copy)]
pub(super) enum End {
    Low,
    High,
}

const LIMIT: &str = "the limit has no name and goes first";
const RANGE: &str = "the ends of a limit that finds itself are a range and go first";
const RATE: &str = "a rate is a limit and a window";

/// The table. To add a name, write it in the row of its thing.
pub(super) const ROWS: &[Row] = &[
    Row {
        names: &[
            "concurrency",
            "concurrencylimit",
            "concurrent",
            "inflight",
            "limit",
            "limits",
            "max",
            "maxcalls",
            "maxconcurrency",
            "maxconcurrent",
            "maxconcurrentcalls",
            "maxconcurrentrequests",
            "maxinflight",
            "maxparallel",
            "maxparallelism",
            "maxparallelization",
            "maxpermits",
            "maxrunning",
            "n",
            "parallel",
            "parallelism",
            "permitlimit",
            "permits",
            "slots",
            "workers",
        ],
        thing: LIMIT,
        here: Here::Limit,
    },
    Row {
        names: &[
            "atleast",
            "lower",
            "lowerbound",
            "min",
            "minconcurrency",
            "minimum",
            "minlimit",
            "minpermits",
        ],
        thing: RANGE,
        here: Here::Range(End::Low),
    },
    Row { names: &["maxlimit", "upper", "upperbound"], thing: RANGE, here: Here::Range(End::High) },
    Row {
        names: &["adaptive", "aimd", "auto", "autotune", "dynamic", "gradient", "vegas"],
        thing: "a limit that finds itself, a range in place of the limit,",
        here: Here::Words("4..=200"),
    },
    Row {
        names: &[
            "begin",
            "initial",
            "initialconcurrency",
            "initiallimit",
            "initialpermits",
            "startat",
            "startlimit",
        ],
        thing: "the start of a limit that finds itself",
        here: Here::Option(AttributeOption::Start),
    },
    Row {
        names: &[
            "aim",
            "favour",
            "goal",
            "objective",
            "optimise",
            "optimize",
            "optimizefor",
            "prefer",
        ],
        thing: "what a limit that finds itself favors",
        here: Here::Option(AttributeOption::Favor),
    },
    Row {
        names: &["advise", "adviseonly", "advisory", "recommend", "suggest"],
        thing: "advice on a limit that stays",
        here: Here::Words("adapt = advise"),
    },
    Row {
        names: &[
            "backoffwhen",
            "classify",
            "dropwhen",
            "isdropped",
            "isoverload",
            "isoverloaded",
            "onoverload",
            "overloaded",
            "overloadedif",
            "overloadif",
            "throttled",
        ],
        thing: "the verdict on the output of a call",
        here: Here::Option(AttributeOption::Overload),
    },
    Row {
        names: &["burst", "limitforperiod", "persecond", "quota", "rate", "ratelimit", "rps"],
        thing: RATE,
        here: Here::Rate("1s"),
    },
    Row { names: &["perminute", "rpm"], thing: RATE, here: Here::Rate("1m") },
    Row { names: &["perhour"], thing: RATE, here: Here::Rate("1h") },
    Row {
        names: &[
            "every",
            "interval",
            "limitrefreshperiod",
            "period",
            "refresh",
            "timewindow",
            "window",
        ],
        thing: "the window of a rate",
        here: Here::Option(AttributeOption::Per),
    },
    Row {
        names: &[
            "gradual",
            "rampup",
            "rampuptime",
            "slowstart",
            "slowstartwindow",
            "startup",
            "warming",
            "warmstart",
            "warmup",
            "warmupperiod",
            "warmuptime",
        ],
        thing: "the time in which the limit rises from one permit",
        here: Here::Option(AttributeOption::Ramp),
    },
    Row {
        names: &[
            "acquiretimeout",
            "deadline",
            "maxdelay",
            "maxwaitduration",
            "maxwaitingtime",
            "maxwaittime",
            "queuetimeout",
            "timeout",
            "timeoutduration",
            "wait",
            "waittime",
            "waittimeout",
        ],
        thing: "the longest wait for a permit",
        here: Here::Option(AttributeOption::MaxWait),
    },
    Row {
        names: &[
            "backlog",
            "buffer",
            "buffersize",
            "maxpending",
            "maxqueue",
            "maxqueued",
            "maxqueuesize",
            "maxqueuingactions",
            "maxwaiters",
            "pending",
            "queue",
            "queuecapacity",
            "queuelen",
            "queuelength",
            "queuelimit",
            "queuesize",
            "waiters",
            "waiting",
        ],
        thing: "the largest number of calls that wait",
        here: Here::Option(AttributeOption::MaxWaiting),
    },
    Row {
        names: &["failfast", "loadshed", "nonblocking", "nowait", "shed", "try", "tryacquire"],
        thing: "a refusal at once",
        here: Here::Words("max_waiting = 0"),
    },
    Row {
        names: &[
            "default",
            "else",
            "fallback",
            "onerror",
            "onfull",
            "onrefuse",
            "onrefused",
            "onrejected",
            "ontimeout",
            "orelse",
            "otherwise",
            "reject",
        ],
        thing: "the value of a refused call",
        here: Here::Option(AttributeOption::OnReject),
    },
    Row {
        names: &["id", "label", "limitername", "named", "tag", "title"],
        thing: "the limiter's name",
        here: Here::Option(AttributeOption::Name),
    },
    Row {
        names: &[
            "by",
            "foreach",
            "forkey",
            "group",
            "groupby",
            "id",
            "keyby",
            "partition",
            "perkey",
            "tenant",
            "tenants",
        ],
        thing: "a limit for each value of a key",
        here: Here::Option(AttributeOption::Key),
    },
    Row {
        names: &["keylimit", "limitofkey", "limitperkey", "perkeylimit"],
        thing: "the limit goes first and is that of each key; the one over all keys",
        here: Here::Words("total = 100"),
    },
    Row {
        names: &["class", "category", "tier"],
        thing: "the share of the permits to which a call belongs",
        here: Here::Option(AttributeOption::Share),
    },
    Row {
        names: &["guaranteed", "reservation", "reserve", "reserved"],
        thing: "a part of the permits that is kept free, for the calls that have it as their `share = …`,",
        here: Here::Words("shares = &[Share::new(\"live\", 60).reserved()]"),
    },
    Row {
        names: &["all", "allof"],
        thing: "several limiters as one, in place of the limit,",
        here: Here::Words("all(A, B)"),
    },
    Row {
        names: &["grow", "reweight", "resize", "shrink"],
        thing: "a weight that changes, by `permit.resize(…)` in the body,",
        here: Here::Words("permit = permit"),
    },
    Row {
        names: &["evict", "eviction", "preempt"],
        thing: "a full queue (`max_waiting = …`) that refuses the least important call",
        here: Here::Words("priority = 5"),
    },
    Row {
        names: &["cap", "globallimit", "maxtotal", "overall", "totallimit"],
        thing: "the limit over all keys",
        here: Here::Option(AttributeOption::Total),
    },
    Row {
        names: &["bulkhead", "instance", "limitby", "pool", "ratelimiter", "semaphore", "using"],
        thing: "an existing `Limiter`",
        here: Here::Option(AttributeOption::Limiter),
    },
    Row {
        names: &["amount", "cells", "cost", "n", "permits", "tokens", "units"],
        thing: "the number of permits that a call takes",
        here: Here::Option(AttributeOption::Weight),
    },
    Row {
        names: &["importance", "prio", "urgency"],
        thing: "the priority of a call",
        here: Here::Option(AttributeOption::Priority),
    },
    Row {
        names: &["fair", "fairness", "fifo"],
        thing: "the order of the queue, the default,",
        here: Here::Words("order = fifo"),
    },
    Row {
        names: &["lifo", "newestfirst", "stack"],
        thing: "the order of the queue",
        here: Here::Words("order = lifo"),
    },
    Row {
        names: &["deadlinefirst", "earliestdeadline", "earliestdeadlinefirst", "edf"],
        thing: "the order of the queue by deadlines",
        here: Here::Words("order = deadline"),
    },
    Row {
        names: &["ordering", "processingorder", "queueorder", "queueprocessingorder"],
        thing: "the order of the queue",
        here: Here::Option(AttributeOption::Order),
    },
    Row {
        names: &["global", "process", "processwide", "shared"],
        thing: "a limit for all runtimes of the process together",
        here: Here::Words("scope = process"),
    },
    Row {
        names: &["local", "perruntime", "runtime"],
        thing: "a limit for each runtime, the default,",
        here: Here::Words("scope = runtime"),
    },
    Row {
        names: &["active", "condition", "enable", "if", "on", "onlyif", "when"],
        thing: "the condition under which the limit holds",
        here: Here::Option(AttributeOption::Enabled),
    },
    Row {
        names: &["disable", "disabled", "off", "skip", "skipif", "unless"],
        thing: "the condition under which the limit holds",
        here: Here::NotEnabled,
    },
    Row {
        names: &["dryrun", "logonly", "monitoronly", "observe", "reportonly", "simulate"],
        thing: "a limit that only counts",
        here: Here::Words("shadow"),
    },
    Row {
        names: &["block", "blockon", "spawnblocking", "sync", "thread", "threaded"],
        thing: "a function that blocks its thread",
        here: Here::Words("blocking"),
    },
    Row {
        names: &["guard", "hold", "token"],
        thing: "the body's variable for its permit",
        here: Here::Option(AttributeOption::Permit),
    },
    Row {
        names: &["environment", "envvar", "fromenv", "var", "variable"],
        thing: "the environment variable with the limit",
        here: Here::Option(AttributeOption::Env),
    },
    Row {
        names: &["cratepath", "krate", "runtimepath"],
        thing: "the path of this crate",
        here: Here::Option(AttributeOption::Crate),
    },
];

//! The dashboard in Grafana's JSON.

use super::super::metric;
use super::{CHOSEN, Form, Panel, Target, panels};
use serde_json::{Map, Value, json};
use std::iter::zip;

/// The columns of a dashboard.
const COLUMNS: u32 = 24;

pub(in super::super) fn dashboard() -> String {
    let dashboard = json!({
        "uid": "limit-runtime",
        "title": "Concurrency limits",
        "tags": ["concurrency", "limit-runtime"],
        "editable": true,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "version": 2,
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "annotations": { "list": annotations() },
        "links": [{
            "title": "Page of the limiters",
            "type": "link",
            "icon": "external link",
            "url": "${page}",
            "targetBlank": true,
        }],
        "templating": { "list": variables() },
        "panels": rows(),
    });
    let json = serde_json::to_string_pretty(&sorted(dashboard)).expect("it is JSON");
    json + "\n"
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// Marks in every chart: at each change that somebody made, and if switched on, where overload cut a limit that adapts.
fn annotations() -> Value {
    /// The name, the metric, its labels, and the words beside a mark. Of cuts there may be many.
    const MARKS: [(&str, &str, &str, &str); 5] = [
        (
            "Limit changes",
            "limit.changes",
            "",
            "The limit of {{limiter}} was changed by {{source}}",
        ),
        ("Enforcement", "enforced", "", "The limit of {{limiter}} holds, or holds no more"),
        ("Max waiting", "max_waiting", "", "max_waiting of {{limiter}} was changed"),
        ("Max wait", "max_wait", "", "max_wait of {{limiter}} was changed"),
        (
            "Cuts by overload",
            "adaptive.changes",
            ",reason=\"overload\"",
            "Overload cut the limit of {{limiter}}",
        ),
    ];
    let mark = |(name, of, labels, words): (&str, &str, &str, &str)| {
        let by =
            if of == "limit.changes" { "limiter, source, instance" } else { "limiter, instance" };
        // Longer than two scrapes, however far apart the marks are looked for: a window without both sides of a change
        // has none. The marks of one change that follow each other are one.
        let changes = format!("changes({}{{{CHOSEN}{labels}}}[2m])", metric(of));
        json!({
            "name": name,
            "datasource": datasource(),
            "enable": labels.is_empty(),
            "iconColor": if labels.is_empty() { "purple" } else { "orange" },
            "expr": format!("sum by ({by}) ({changes}) > 0"),
            "step": "30s",
            "titleFormat": words,
            "textFormat": "at {{instance}}",
            "tagKeys": "limiter",
        })
    };
    MARKS.map(mark).into()
}

fn variables() -> Value {
    let of_label = |name: &str, label: &str| {
        let query = format!("label_values({}, {name})", metric("permit.limit"));
        json!({
            "name": name,
            "label": label,
            "type": "query",
            "datasource": datasource(),
            "definition": query,
            "query": { "query": query, "refId": "StandardVariableQuery" },
            "refresh": 2,
            "sort": 1,
            "includeAll": true,
            "multi": true,
            "allValue": ".*",
            "current": { "text": "All", "value": "$__all" },
        })
    };
    json!([
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
        },
        of_label("job", "Job"),
        of_label("instance", "Instance"),
        of_label("limiter", "Limiter"),
        {
            "name": "page",
            "label": "Address of the page",
            "description": "The address at which the program serves the page of limit-console, for the links.",
            "type": "textbox",
            "query": "http://localhost:9999/",
            "current": { "text": "http://localhost:9999/", "value": "http://localhost:9999/" },
        },
    ])
}

/// Lays the rows out. The panels of a collapsed row are inside it.
fn rows() -> Vec<Value> {
    let (mut all, mut y, mut id) = (Vec::new(), 0, 1..);
    let mut next = || id.next().expect("there are few");
    for row in panels::rows() {
        let header = next();
        let top = y;
        y += 1;
        let mut laid_out = Vec::new();
        let (mut x, mut height) = (0, 0);
        for panel in &row.panels {
            if x + panel.size.0 > COLUMNS {
                (x, y, height) = (0, y + height, 0);
            }
            laid_out.push(panel_at(panel, next(), x, y));
            (x, height) = (x + panel.size.0, height.max(panel.size.1));
        }
        y += height;
        let (inside, below) =
            if row.collapsed { (laid_out, Vec::new()) } else { (Vec::new(), laid_out) };
        all.push(json!({
            "id": header,
            "type": "row",
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": top },
            "panels": inside,
        }));
        all.extend(below);
    }
    all
}

fn panel_at(panel: &Panel, id: u32, x: u32, y: u32) -> Value {
    let (width, height) = panel.size;
    let targets: Vec<_> =
        zip('A'.., &panel.targets).map(|(id, target)| query(panel.form, id, target)).collect();
    let mut json = json!({
        "id": id,
        "type": match panel.form {
            Form::Lines | Form::Stacked => "timeseries",
            Form::Number => "stat",
            Form::Table => "table",
            Form::Heatmap => "heatmap",
        },
        "title": panel.title,
        "description": panel.description,
        "datasource": datasource(),
        "gridPos": { "h": height, "w": width, "x": x, "y": y },
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel.form),
        "targets": targets,
    });
    if panel.form == Form::Table {
        json["transformations"] = transformations(panel);
    }
    json
}

fn query(form: Form, id: char, target: &Target) -> Value {
    let mut query = json!({
        "datasource": datasource(),
        "expr": target.expression,
        "legendFormat": target.called,
        "refId": id.to_string(),
    });
    match form {
        Form::Lines | Form::Stacked => {}
        Form::Number => query["instant"] = json!(true),
        Form::Table => {
            query["instant"] = json!(true);
            query["format"] = json!("table");
        }
        Form::Heatmap => query["format"] = json!("heatmap"),
    }
    query
}

fn defaults(panel: &Panel) -> Value {
    let custom = match panel.form {
        Form::Lines | Form::Stacked => json!({
            "fillOpacity": if panel.form == Form::Stacked { 30 } else { 0 },
            "stacking": { "mode": if panel.form == Form::Stacked { "normal" } else { "none" } },
            "thresholdsStyle": { "mode": if panel.thresholds.is_some() { "dashed" } else { "off" } },
        }),
        Form::Number | Form::Table | Form::Heatmap => json!({}),
    };
    json!({
        "unit": panel.unit,
        "min": 0,
        "color": { "mode": if panel.form == Form::Number { "thresholds" } else { "palette-classic" } },
        "custom": custom,
        "thresholds": thresholds(panel.thresholds),
    })
}

fn thresholds(values: Option<(f64, f64)>) -> Value {
    let mut steps = vec![json!({ "color": "green", "value": null })];
    if let Some((yellow, red)) = values {
        if yellow < red {
            steps.push(json!({ "color": "yellow", "value": yellow }));
        }
        if red.is_finite() {
            steps.push(json!({ "color": "red", "value": red }));
        }
    }
    json!({ "mode": "absolute", "steps": steps })
}

/// The name of the column of a query's values.
fn column(index: usize) -> String {
    format!("Value #{}", char::from(b'A' + u8::try_from(index).expect("there are few")))
}

fn overrides(panel: &Panel) -> Value {
    if panel.form != Form::Table {
        return json!([]);
    }
    let link = json!([{
        "title": "Open the limiter's page",
        "url": "${page}#name=${__value.raw:percentencode}",
        "targetBlank": true,
    }]);
    let name = json!({
        "matcher": { "id": "byName", "options": "Limiter" },
        "properties": [{ "id": "links", "value": link }],
    });
    let columns = panel.targets.iter().map(|target| {
        let mut properties =
            vec![json!({ "id": "unit", "value": target.unit.unwrap_or(panel.unit) })];
        if target.thresholds.is_some() {
            properties.push(json!({ "id": "thresholds", "value": thresholds(target.thresholds) }));
            properties
                .push(json!({ "id": "custom.cellOptions", "value": { "type": "color-text" } }));
            properties.push(json!({ "id": "color", "value": { "mode": "thresholds" } }));
        }
        json!({ "matcher": { "id": "byName", "options": target.called }, "properties": properties })
    });
    std::iter::once(name).chain(columns).collect()
}

/// One row for each limiter and instance, with the values of all queries.
fn transformations(panel: &Panel) -> Value {
    let values = panel.targets.iter().enumerate();
    let mut names: Map<String, Value> =
        values.map(|(index, target)| (column(index), json!(target.called))).collect();
    names.insert("limiter".to_owned(), json!("Limiter"));
    names.insert("instance".to_owned(), json!("Instance"));
    json!([
        { "id": "merge", "options": {} },
        {
            "id": "organize",
            "options": {
                "excludeByName": { "Time": true },
                "indexByName": { "limiter": 0, "instance": 1 },
                "renameByName": names,
            },
        },
    ])
}

fn options(form: Form) -> Value {
    match form {
        Form::Lines | Form::Stacked => json!({
            "legend": { "displayMode": "list", "placement": "bottom" },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Form::Number => json!({
            "colorMode": "background",
            "graphMode": "none",
            "reduceOptions": { "calcs": ["lastNotNull"] },
        }),
        Form::Table => json!({
            "sortBy": [
                { "displayName": "Stalled for", "desc": true },
                { "displayName": "Refused a second", "desc": true },
                { "displayName": "Waiting", "desc": true },
            ],
        }),
        Form::Heatmap => json!({
            "calculate": false,
            "color": { "mode": "scheme", "scheme": "Oranges" },
            "yAxis": { "unit": "s" },
            "tooltip": { "mode": "single" },
        }),
    }
}

/// Sorts the keys of all maps. Their order depends on features of the JSON library.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

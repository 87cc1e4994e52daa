//! The rows in the order of the table.

use crate::processes;
use crate::rows::{
    Kind, Row, Selection, crowd, find, free, keyed, million, opening, policies, refused, shared,
    shutdown,
};
use limit_benches::processors::Processors;

/// Measures all selected rows.
pub(crate) fn all(selection: &Selection) -> Vec<Row> {
    let measured = |kinds: &[Kind]| -> Vec<Row> {
        let selected = kinds.iter().filter(|kind| selection.row(kind.name));
        selected.flat_map(|kind| rows_of(kind, selection)).collect()
    };
    let mut rows = measured(&free::ROWS);
    rows.extend(measured(&shared::ROWS));
    rows.extend(measured(&shutdown::ROWS));
    rows.extend(crowd::rows(selection));
    rows.extend(million::rows(selection));
    rows.extend(measured(&keyed::ROWS));
    rows.extend(measured(&policies::ROWS));
    rows.extend(measured(&refused::ROWS));
    rows.extend(measured(&find::ROWS));
    rows.extend(measured(&opening::ROWS));
    rows
}

/// Measures a row, on all processors and on one if several tasks call at once.
fn rows_of(kind: &Kind, selection: &Selection) -> Vec<Row> {
    if kind.own_process && !selection.alone {
        return processes::alone(kind.name).rows;
    }
    let processors = if kind.many_tasks { selection.processors } else { &[Processors::All] };
    let measure = |processors: &Processors| {
        let mut row = processors.run(|| (kind.measure)(selection, kind.name))?;
        row.processors = *processors;
        Some(row)
    };
    processors.iter().filter_map(measure).collect()
}

//! How choices settled: the probabilities of the candidates over the epochs, one small chart for each decision.

use super::super::plot::{Frame, Range, text, width};
use super::chart::path;
use super::drawn::{Drawn, GAP, RIMS};

/// Charts in a row, their height, and from one to the next.
const COLUMNS: usize = 4;
const HEIGHT: f64 = 84.0;
const BETWEEN: f64 = 26.0;
/// The most decisions that are drawn.
const SHOWN: usize = 40;

/// The charts, and where they end; nothing where no choices learn.
pub(super) fn svg(drawn: &Drawn<'_>, top: f64) -> (String, f64) {
    let epochs: Vec<(f64, &Vec<Vec<f64>>)> = drawn
        .search
        .iter()
        .filter_map(|epoch| Some((f64::from(epoch.epoch) + 1.0, epoch.probabilities.as_ref()?)))
        .collect();
    let Some((last, _)) = epochs.last() else { return (String::new(), top) };
    let [left, right] = RIMS;
    let all = epochs.iter().flat_map(|(_, rows)| rows.iter().flatten());
    let most = all.copied().fold(0.0, f64::max);
    let mut about = format!(
        "over the epochs of the search, from 0 to {most:.2}; the most probable one is named"
    );
    if let Some(more) = drawn.decisions.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        about += &format!("; {more} more decisions are not drawn");
    }
    let head = "Probabilities of the candidates";
    let mut svg = text("head", "start", (left, top + 12.0), head);
    let beside = left + width(head) * 1.2 + 12.0;
    svg += &text("dim", "start", (beside, top + 12.0), &about);
    let wide = (right - left - BETWEEN * (COLUMNS as f64 - 1.0)) / COLUMNS as f64;
    let x = Range::whole(1.0, *last);
    let y = Range::linear(0.0, most);
    let mut bottom = top;
    for (place, (path, candidates)) in drawn.decisions.iter().take(SHOWN).enumerate() {
        let (row, column) = (place / COLUMNS, place % COLUMNS);
        let left = left + column as f64 * (wide + BETWEEN);
        let above = top + 58.0 + row as f64 * (HEIGHT + 48.0);
        let frame = Frame { left, top: above, right: left + wide, bottom: above + HEIGHT };
        let rows = epochs.iter().filter_map(|(epoch, rows)| Some((*epoch, rows.get(place)?)));
        svg += &decision(path, candidates, &rows.collect::<Vec<_>>(), (x, y), &frame);
        bottom = frame.bottom;
    }
    (svg, bottom + 24.0 + GAP)
}

fn decision(
    name: &str,
    candidates: &[String],
    epochs: &[(f64, &Vec<f64>)],
    (x, y): (Range, Range),
    frame: &Frame,
) -> String {
    let last = epochs.last().map(|(_, row)| row.as_slice()).unwrap_or_default();
    let best = last.iter().enumerate().max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)));
    let (best, probability) = best.map_or((0, 0.0), |(best, probability)| (best, *probability));
    let line = |candidate: usize, class: &str| {
        let points = epochs.iter().filter_map(|(epoch, row)| Some((*epoch, *row.get(candidate)?)));
        path(class, points.map(|(epoch, value)| (frame.x(x, epoch), frame.y(y, value))))
    };
    let Frame { left, top, right, bottom } = *frame;
    let mut svg = text("dim small", "start", (left, top - 18.0), &fit(name, right - left));
    let winner = candidates.get(best).map(String::as_str).unwrap_or_default();
    let said = fit(&format!("{winner}  {probability:.2}"), right - left);
    svg += &text("small", "start", (left, top - 5.0), &said);
    svg += &format!(
        "<rect class=\"frame\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
        right - left,
        bottom - top
    );
    for candidate in (0..candidates.len()).filter(|&candidate| candidate != best) {
        svg += &line(candidate, "other");
    }
    svg + &line(best, "line c0")
}

/// A name as far as there is room for it; its end says more than its beginning.
fn fit(name: &str, room: f64) -> String {
    // Small letters are narrower.
    let letters = (room / 6.2) as usize;
    let count = name.chars().count();
    if count <= letters {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count.saturating_sub(letters.saturating_sub(1))).collect();
    format!("…{end}")
}

//! How the scores of a network are told.

use nas_ir::metric::Scale;
use nas_search::Metrics;
use nas_search::metrics::MetricName;

/// The most classes whose confusion matrix is printed whole.
const WHOLE: usize = 10;
/// How many of the most frequent confusions are told of more classes.
const MOST: usize = 5;

/// The lines of what a network scores: name and value.
#[must_use]
pub(crate) fn score_lines(score: &Metrics, classes: &[String]) -> Vec<(String, String)> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut lines: Vec<(String, String)> = Vec::new();
    for (metric, value) in score.values() {
        let shown = match metric.scale() {
            Scale::Share => percent(value),
            Scale::Number => number(value),
        };
        lines.push((metric.title().to_owned(), shown));
    }
    for (metric, values) in score.by_class() {
        for (i, value) in values.iter().enumerate() {
            let shown = value.map_or_else(|| "none".to_owned(), percent);
            lines.push((format!("{} {}", metric.title(), class_name(classes, i)), shown));
        }
    }
    lines
}

/// A value of a metric as tables have it: a share with three decimals, a small number with as many digits.
#[must_use]
pub(crate) fn value_of(metric: &MetricName, value: f64) -> String {
    match metric.scale() {
        Scale::Share => format!("{value:.3}"),
        Scale::Number => number(value),
    }
}

/// A number with three decimals, or where it is small as many digits.
fn number(value: f64) -> String {
    let is_small = value != 0.0 && value.abs() < 0.1;
    if is_small { format!("{value:.2e}") } else { format!("{value:.3}") }
}

fn class_name(classes: &[String], class: usize) -> String {
    classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}

/// How often each class was taken for each: of few classes all of it, a row for each class, of more the most frequent
/// confusions.
#[must_use]
pub(crate) fn confusion_lines(confusion: &[Vec<u64>], classes: &[String]) -> Vec<String> {
    if confusion.len() <= WHOLE { matrix(confusion, classes) } else { most(confusion, classes) }
}

fn matrix(confusion: &[Vec<u64>], classes: &[String]) -> Vec<String> {
    let names: Vec<String> = (0..confusion.len()).map(|i| class_name(classes, i)).collect();
    let names_width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let figures = confusion.iter().flatten().map(|count| count.to_string().len());
    let width = figures.max().unwrap_or_default().max(3) + 2;
    let mut lines = vec!["confusion: a row for each class, what it was taken for".to_owned()];
    for (name, row) in names.iter().zip(confusion) {
        let counts: String = row.iter().map(|count| format!("{count:>width$}")).collect();
        lines.push(format!("  {name:<names_width$}{counts}"));
    }
    lines
}

fn most(confusion: &[Vec<u64>], classes: &[String]) -> Vec<String> {
    let rows = confusion.iter().enumerate();
    let all = rows.flat_map(|(label, row)| row.iter().enumerate().map(move |of| (label, of)));
    let mut wrong: Vec<(u64, usize, usize)> = all
        .filter(|&(label, (prediction, &count))| label != prediction && count > 0)
        .map(|(label, (prediction, &count))| (count, label, prediction))
        .collect();
    wrong.sort_by_key(|&(count, label, prediction)| (std::cmp::Reverse(count), label, prediction));
    let told = wrong.into_iter().take(MOST).map(|(count, label, prediction)| {
        let [label, prediction] = [label, prediction].map(|class| class_name(classes, class));
        format!("  {label} taken for {prediction}: {count}")
    });
    std::iter::once("confused most often".to_owned()).chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_classes_are_told_whole_and_of_many_what_is_confused() {
        let names = ["land".to_owned(), "sea".to_owned()];
        let lines = confusion_lines(&[vec![5, 1], vec![0, 1200]], &names);
        assert_eq!(lines[1..], ["  land     5     1", "  sea      0  1200"]);
        let mut many = vec![vec![0; 20]; 20];
        many[3][4] = 7;
        many[4][3] = 9;
        many[5][5] = 100;
        let lines = confusion_lines(&many, &names);
        assert_eq!(
            lines[1..],
            ["  class 4 taken for class 3: 9", "  class 3 taken for class 4: 7"]
        );
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        assert_eq!(
            [0.0, 0.25, 12.3456, 0.00123].map(number),
            ["0.000", "0.250", "12.346", "1.23e-3"]
        );
    }
}

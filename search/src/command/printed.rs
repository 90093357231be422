//! What a command prints: metrics as JSON objects, each on a line of its own, and a log around them.

use std::io::{ErrorKind, Read, Write};
use std::sync::mpsc::Sender;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::settings::{CommandSettings, EPOCH};
use crate::metrics::{MetricName, Metrics, Ranking};

/// The longest line that is looked at, in bytes.
const MAX_LINE: usize = 1 << 20;

/// An object that was printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Printed {
    /// How many epochs were done.
    pub(super) epoch: Option<usize>,
    /// What is a number or should be one, by its key; none where it is not finite.
    values: IndexMap<String, Option<f64>>,
}

impl Printed {
    /// The object that a line is, if it is one. What Python writes of numbers that are not finite counts as
    /// such.
    fn of(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if !text.starts_with('{') {
            return None;
        }
        let object: Map<String, Value> =
            serde_json::from_str(text).or_else(|_| serde_json::from_str(&finite(text))).ok()?;
        let epoch = object.get(EPOCH).and_then(Value::as_u64);
        let values = object.into_iter().filter_map(|(key, value)| match value {
            Value::Number(number) => Some((key, number.as_f64().filter(|n| n.is_finite()))),
            Value::Null => Some((key, None)),
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let epoch = epoch.and_then(|epoch| usize::try_from(epoch).ok());
        Some(Self { epoch, values: values.collect() })
    }

    /// Whether it has all of these keys.
    pub(super) fn tells<'k>(&self, mut keys: impl Iterator<Item = &'k str>) -> bool {
        keys.all(|key| self.values.contains_key(key))
    }

    /// A value, if it is there and finite.
    pub(super) fn get(&self, key: &str) -> Option<f64> {
        self.values.get(key).copied().flatten()
    }

    /// The score; none where the metric that ranks is no finite number.
    pub(super) fn score(&self, ranking: &Ranking) -> Option<Metrics> {
        let value = self.get(ranking.metric.key())?;
        let others = self.values.iter().filter_map(|(key, value)| {
            let is_other = key != ranking.metric.key() && CommandSettings::may_rank(key);
            Some((MetricName::of(key), (*value).filter(|_| is_other)?))
        });
        Some(Metrics::measured(ranking.clone(), value, others.collect()))
    }
}

/// A line of JSON with `null` for each `NaN` and `Infinity` outside of its strings.
fn finite(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut is_string = false;
    while let Some(first) = rest.chars().next() {
        let literal = ["NaN", "-Infinity", "Infinity"].into_iter().find(|it| rest.starts_with(it));
        let taken = match literal {
            Some(literal) if !is_string => {
                text.push_str("null");
                literal.len()
            }
            _ => {
                let escaped = if is_string && first == '\\' { 2 } else { 1 };
                is_string ^= first == '"';
                let taken: String = rest.chars().take(escaped).collect();
                text.push_str(&taken);
                taken.len()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    text
}

/// Reads what a command prints to its end: all of it goes to the log, what is an object also to a file of
/// these, and is told. What cannot be written is lost; the command goes on.
pub(super) fn listen(
    mut pipe: impl Read,
    mut log: impl Write,
    mut objects: impl Write,
    told: &Sender<Printed>,
) {
    let mut chunk = [0; 1 << 13];
    // As much of the line as is kept; none where it is too long.
    let mut line: Option<Vec<u8>> = Some(Vec::new());
    let mut end = |line: &mut Option<Vec<u8>>| {
        let whole = line.replace(Vec::new()).unwrap_or_default();
        if let Some(printed) = Printed::of(&whole) {
            let _ = objects.write_all(&[whole.trim_ascii(), b"\n".as_slice()].concat());
            let _ = told.send(printed);
        }
    };
    loop {
        let read = match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => chunk.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let _ = log.write_all(read);
        for part in read.split_inclusive(|byte| b"\r\n".contains(byte)) {
            line = line.filter(|line| line.len() + part.len() <= MAX_LINE);
            if let Some(line) = &mut line {
                line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") || part.ends_with(b"\r") {
                end(&mut line);
            }
        }
    }
    end(&mut line);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use nas_ir::Metric;
    use nas_ir::metric::Direction;

    use super::*;

    fn heard(text: &str) -> (Vec<Printed>, String, String) {
        let (sender, receiver) = channel();
        let (mut log, mut objects) = (Vec::new(), Vec::new());
        listen(text.as_bytes(), &mut log, &mut objects, &sender);
        drop(sender);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (receiver.iter().collect(), text(log), text(objects))
    }

    #[test]
    fn objects_are_told_from_the_log() {
        let text = "loading {3}\n{\"epoch\": 1, \"accuracy\": 0.5}\n[1]\n50%\r{\"a\": {\"b\": 1}}\r\n \
                    {\"accuracy\": 0.75, \"name\": \"x\", \"ok\": true}";
        let (told, log, objects) = heard(text);
        assert_eq!(log, text);
        assert_eq!(
            objects,
            "{\"epoch\": 1, \"accuracy\": 0.5}\n{\"a\": {\"b\": 1}}\n\
             {\"accuracy\": 0.75, \"name\": \"x\", \"ok\": true}\n"
        );
        let epochs: Vec<Option<usize>> = told.iter().map(|printed| printed.epoch).collect();
        assert_eq!(epochs, [Some(1), None, None]);
        let ranking = Ranking::from(Metric::Accuracy);
        assert_eq!(
            told.iter().map(|it| it.tells(["accuracy"].into_iter())).collect::<Vec<_>>(),
            [true, false, true]
        );
        let score = serde_json::to_string(&told[2].score(&ranking).unwrap()).unwrap();
        assert_eq!(score, r#"{"accuracy":0.75}"#);
    }

    #[test]
    fn a_metric_of_the_user_ranks_with_the_others_beside_it() {
        let line =
            br#"{"epoch": 3, "r2": 0.5, "perplexity": 2, "class_iou": 1, "loss": NaN, "direction": 1}"#;
        let metric = MetricName::of("perplexity");
        let ranking = Ranking { metric, direction: Direction::Lower };
        let score = Printed::of(line).unwrap().score(&ranking).unwrap();
        let json = serde_json::to_string(&score).unwrap();
        assert_eq!(json, r#"{"perplexity":2.0,"r2":0.5,"direction":"lower"}"#);
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), score);
        assert_eq!(score.fitness(), -2.0);
    }

    #[test]
    fn what_is_not_finite_is_seen() {
        let ranking = Ranking::from(Metric::Loss);
        for line in
            [r#"{"note": "NaN \" {", "loss": NaN}"#, r#"{"loss": -Infinity}"#, r#"{"loss": null}"#]
        {
            let printed = Printed::of(line.as_bytes()).unwrap();
            assert!(
                printed.tells(["loss"].into_iter()) && printed.score(&ranking).is_none(),
                "{line}"
            );
        }
        assert_eq!(finite(r#"{"NaN\"NaN": [NaN, Infinity]}"#), r#"{"NaN\"NaN": [null, null]}"#);
        assert!(Printed::of(b"{NaN}").is_none());
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let text =
            format!("{{\"loss\": 1, \"x\": \"{}\"}}\n{{\"loss\": 2}}\n", "x".repeat(MAX_LINE));
        let (told, log, _) = heard(&text);
        assert_eq!((told.len(), log.len()), (1, text.len()));
        assert_eq!(told[0].get("loss"), Some(2.0));
    }
}

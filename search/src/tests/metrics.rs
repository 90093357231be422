//! What metrics are in files, and which are better.

use nas_ir::Task;
use nas_ir::metric::{ClassMetric, Metric, TaskMetrics};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::evaluator::PassReport;
use crate::metrics::Metrics;
use crate::record::{Phase, Record, RetrainEpoch, Status, TriedNetwork, Verdict};
use crate::trial::Budget;
use crate::work::Work;

const SEGMENTATION: Task = Task::Segmentation { classes: 3, ignore: 255 };
const CLASSIFICATION: Task = Task::Classification { classes: 3 };

fn metrics(of: TaskMetrics, [miou, accuracy, loss]: [f64; 3]) -> Metrics {
    let value = |metric| match metric {
        Metric::Miou => Some(miou),
        Metric::Accuracy => Some(accuracy),
        Metric::Loss => Some(loss),
        _ => None,
    };
    let by_class = |metric| match metric {
        ClassMetric::Iou => vec![Some(miou), None, Some(1.0)],
        _ => vec![None; 3],
    };
    Metrics::new(of, value, by_class).unwrap()
}

#[test]
fn a_task_declares_the_keys_of_its_files_and_their_order() {
    for (task, json) in [
        (SEGMENTATION, r#"{"miou":0.25,"accuracy":0.5,"loss":1.0,"class_iou":[0.25,null,1.0]}"#),
        (CLASSIFICATION, r#"{"accuracy":0.5,"loss":1.0,"class_f1":[null,null,null]}"#),
    ] {
        let metrics = metrics(task.metrics(), [0.25, 0.5, 1.0]);
        assert_eq!(serde_json::to_string(&metrics).unwrap(), json);
        assert_eq!(serde_json::from_str::<Metrics>(json).unwrap(), metrics);
    }
}

#[test]
fn every_declared_metric_is_found_by_its_name() {
    for metric in Metric::ALL {
        assert_eq!(Metric::named(metric.name()), Some(metric));
    }
    for metric in ClassMetric::ALL {
        assert_eq!(ClassMetric::named(metric.name()), Some(metric));
    }
}

#[test]
fn what_is_no_metric_is_said() {
    for (json, words) in [
        (r#"{"fps": 3.0, "miou": 0.5}"#, "not known whether `fps` is better where it is higher"),
        (r#"{"fps": 3.0, "direction": "up"}"#, "there is no direction `up`"),
        (r#"{"miou": 0.5, "direction": "lower"}"#, "`miou` is better where it is higher"),
        (r#"{"miou": "good"}"#, "expected f64"),
        (r#"{"class_iou": [0.5]}"#, "there are no metrics"),
        ("0.5", "metrics by name, the primary one first"),
    ] {
        let error = serde_json::from_str::<Metrics>(json).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_metric_that_nasc_does_not_know_says_its_direction() {
    let json = r#"{"fps":30.0,"accuracy":0.5,"watts":2.5,"direction":"higher"}"#;
    let metrics: Metrics = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&metrics).unwrap(), json);
    let slower: Metrics = serde_json::from_str(&json.replace("30", "29")).unwrap();
    assert!(metrics.is_better_than(&slower));
    let lower = |json: &str| json.replace("higher", "lower");
    let [metrics, slower] = [lower(json), lower(&json.replace("30", "29"))]
        .map(|json| serde_json::from_str::<Metrics>(&json).unwrap());
    assert!(slower.is_better_than(&metrics) && slower.fitness() == -29.0);
    assert_eq!((metrics.get(Metric::Accuracy), metrics.get(Metric::Loss)), (Some(0.5), None));
}

#[test]
fn a_line_of_the_history_reads_back_to_the_bit() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for epoch in 0..2000 {
        let val = metrics(SEGMENTATION.metrics(), std::array::from_fn(|_| random.random()));
        let train = PassReport { loss: random.random(), cost: random.random() };
        let record = Record::Retrain(RetrainEpoch {
            epoch,
            learning_rate: [random.random(), 0.0],
            train,
            val,
            work: Work { forward: random.random(), backward: 0 },
        });
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record, "{line}");
    }
}

#[test]
fn the_direction_of_the_primary_metric_says_which_is_better() {
    let by_loss = TaskMetrics { primary: Metric::Loss, metrics: &[Metric::Loss], by_class: &[] };
    for (of, better, worse) in [
        (SEGMENTATION.metrics(), [0.6, 0.1, 2.0], [0.5, 0.9, 0.1]),
        (CLASSIFICATION.metrics(), [0.1, 0.6, 2.0], [0.9, 0.5, 0.1]),
        (by_loss, [0.1, 0.1, 0.5], [0.9, 0.9, 0.6]),
    ] {
        let (better, worse) = (metrics(of, better), metrics(of, worse));
        assert!(better.is_better_than(&worse) && !worse.is_better_than(&better));
        assert!(!better.is_better_than(&better));
    }
}

#[test]
fn a_value_that_is_no_number_is_seen_wherever_it_is() {
    let of = SEGMENTATION.metrics();
    assert!(metrics(of, [0.1, 0.2, 0.3]).is_finite());
    for values in [[f64::NAN, 0.2, 0.3], [0.1, f64::INFINITY, 0.3], [0.1, 0.2, f64::NAN]] {
        assert!(!metrics(of, values).is_finite());
    }
    let by_class = |_| vec![None, Some(f64::NAN)];
    assert!(!Metrics::new(of, |_| Some(0.0), by_class).unwrap().is_finite());
}

#[test]
fn a_trial_is_recorded_to_the_bit() {
    let toy = super::toy::Toy::short();
    let dir = nas_testing::folder();
    let score = metrics(SEGMENTATION.metrics(), [0.1 + 0.2, 1e-300, -0.0]).with_confusion(vec![
        vec![3, 0, 1],
        vec![0, 0, 0],
        vec![2, 9, 4],
    ]);
    let trial = TriedNetwork {
        number: 0,
        drawn: 3,
        uniform: true,
        choices: [("op".to_owned(), "c1".to_owned())].into_iter().collect(),
        cost: nas_ir::Costs { macs: 7, latency: Some(1_234_567), ..nas_ir::Costs::default() },
        verdict: Verdict::Score(score),
        budget: Budget { epochs: 2 },
        epoch: Some(1),
        work: Work { forward: 12, backward: 5 },
    };
    let status = Status { phase: Phase::Derive, done: 1, of: 4 };
    super::create(&toy, dir.path()).add_trial(&trial, 0.5, &status).unwrap();
    let store = super::resume(&toy, dir.path());
    let records = store.records().unwrap();
    assert_eq!(records.trials().unwrap(), [trial]);
    assert_eq!(records.status().unwrap(), Some(status));
    assert_eq!(records.timings().unwrap().len(), 1);
}

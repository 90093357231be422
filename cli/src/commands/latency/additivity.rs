//! How well parts and multiply-accumulates predict the latency of whole networks.

use indexmap::IndexMap;
use nas_analysis::latency::{Correction, Residual, Sample, fit, mean_absolute_percent, spearman};
use nas_ir::measure::grouped;
use serde::Serialize;

use crate::render::report::counted;
use crate::render::table::Table;

/// A whole network that was measured.
pub(super) struct Measured {
    /// What the user called it.
    pub(super) name: Option<String>,
    /// Its candidates by decision.
    pub(super) choices: Vec<(String, String)>,
    /// Its multiply-accumulates.
    pub(super) macs: u64,
    /// The times of its parts, and its own.
    pub(super) sample: Sample,
}

/// Predicted against measured latencies.
#[derive(Debug, Serialize)]
pub(super) struct Additivity {
    /// The networks.
    pub(super) networks: Vec<Prediction>,
    /// How well the plain sum of the parts predicts.
    pub(super) sum: Residual,
    /// How well the corrected sum does on the networks that the correction was fitted to.
    pub(super) fitted: Residual,
    /// How well it does on each network when fitted to the others.
    pub(super) left_out: Residual,
    /// How well the correction does that the table has, which was fitted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<Residual>,
    /// How well multiply-accumulates do, scaled so that they predict each network by the others.
    pub(super) macs: Residual,
    /// The correction, fitted to all networks, with the residual of networks left out.
    pub(super) correction: Correction,
}

/// A network and what is predicted for it, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Prediction {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    choices: IndexMap<String, String>,
    pub(super) macs: u64,
    /// The measured latency.
    pub(super) measured: f64,
    /// The sum of its parts.
    pub(super) sum: f64,
    /// The corrected sum, the correction fitted to the other networks.
    pub(super) corrected: f64,
    /// The corrected sum, by the correction that the table has.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<f64>,
    /// What its multiply-accumulates predict, scaled as the other networks have it.
    pub(super) by_macs: f64,
}

impl Additivity {
    /// What these networks say, also of the correction that the table has.
    pub(super) fn of(networks: &[Measured], table: Option<Correction>) -> Self {
        let samples: Vec<Sample> = networks.iter().map(|network| network.sample.clone()).collect();
        let macs: Vec<Sample> = networks
            .iter()
            .map(|n| Sample { parts: vec![n.macs], measured: n.sample.measured })
            .collect();
        let measured: Vec<f64> = samples.iter().map(|sample| sample.measured as f64).collect();
        let all = fit(&samples);
        let predicted = |correction: &Correction| -> Vec<f64> {
            samples.iter().map(|sample| correction.network(&sample.parts)).collect()
        };
        let (sum, fitted) = (predicted(&Correction::NONE), predicted(&all));
        let by_table = table.as_ref().map(predicted);
        let (left_out, by_macs) = (each_by_others(&samples), each_by_others(&macs));
        let residual = |predicted: &[f64]| Residual {
            mean_absolute_percent: mean_absolute_percent(predicted, &measured),
            spearman: spearman(predicted, &measured),
            networks: u32::try_from(samples.len()).unwrap_or(u32::MAX),
        };
        let milliseconds =
            |figures: &[f64], row: usize| figures.get(row).copied().unwrap_or_default() / 1e6;
        let prediction = |(row, network): (usize, &Measured)| Prediction {
            name: network.name.clone(),
            choices: network.choices.iter().cloned().collect(),
            macs: network.macs,
            measured: milliseconds(&measured, row),
            sum: milliseconds(&sum, row),
            corrected: milliseconds(&left_out, row),
            table: by_table.as_ref().map(|table| milliseconds(table, row)),
            by_macs: milliseconds(&by_macs, row),
        };
        Self {
            networks: networks.iter().enumerate().map(prediction).collect(),
            sum: residual(&sum),
            fitted: residual(&fitted),
            left_out: residual(&left_out),
            table: by_table.as_deref().map(residual),
            macs: residual(&by_macs),
            correction: Correction { residual: residual(&left_out), ..all },
        }
    }

    /// What it says, for people.
    pub(super) fn text(&self) -> String {
        let heads = ["measured ms", "sum of parts", "corrected", "by MACs", "MACs"];
        let is_named = self.networks.iter().any(|network| network.name.is_some());
        let first = is_named.then_some("network");
        let mut rows = Table::empty();
        rows.row(first.into_iter().chain(heads).map(str::to_owned));
        let mut networks: Vec<&Prediction> = self.networks.iter().collect();
        networks.sort_by(|a, b| a.measured.total_cmp(&b.measured));
        for Prediction { name, measured, sum, corrected, table, by_macs, macs, .. } in networks {
            let corrected = table.unwrap_or(*corrected);
            let figures = [*measured, *sum, corrected, *by_macs].map(|ms| format!("{ms:.2}"));
            let name = is_named.then(|| name.clone().unwrap_or_default());
            rows.row(name.into_iter().chain(figures).chain([grouped(macs)]));
        }
        let name = counted(self.networks.len(), "network");
        let mut table = Table::new([name.as_str(), "rank correlation", "mean error"]);
        let by_table = self.table.map(|residual| ("corrected as the table is", residual));
        let rest = [
            ("corrected anew", self.fitted),
            ("corrected anew, network left out", self.left_out),
            ("MACs, network left out", self.macs),
        ];
        for (name, residual) in
            std::iter::once(("sum of the parts", self.sum)).chain(by_table).chain(rest)
        {
            let Residual { spearman, mean_absolute_percent, .. } = residual;
            let error = format!("{mean_absolute_percent:.1} %");
            table.row([name.to_owned(), format!("{spearman:.3}"), error]);
        }
        let Correction { scale, per_part, overhead, .. } = self.correction;
        let microseconds = |nanoseconds: f64| nanoseconds / 1e3;
        format!(
            "{rows}\n{table}\nnew correction: {scale:.3} times each part {:+.1} µs, and {:.1} µs once\n",
            microseconds(per_part),
            microseconds(overhead)
        )
    }
}

/// Each network as the correction predicts it that is fitted to the others.
fn each_by_others(samples: &[Sample]) -> Vec<f64> {
    let by_others = |(row, sample): (usize, &Sample)| {
        let others = samples.iter().enumerate().filter(|(other, _)| *other != row);
        let others: Vec<Sample> = others.map(|(_, sample)| sample.clone()).collect();
        fit(&others).network(&sample.parts)
    };
    samples.iter().enumerate().map(by_others).collect()
}

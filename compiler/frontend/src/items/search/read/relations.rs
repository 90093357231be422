//! What must hold between settings.

use std::sync::Arc;

use nas_diagnostics::{Fix, Help, Place, listed};
use nas_ir::recipe::common::{LOSS, MIN_DELTA, PATIENCE, RETRAIN, SCHEDULE, WEIGHTS};
use nas_ir::recipe::distillation::{TEACHER, TEMPERATURE, WEIGHT};
use nas_ir::recipe::loss::{DELTA, REGRESSION};
use nas_ir::recipe::optimizer::OPTIMIZER;
use nas_ir::recipe::schema::Relation;
use nas_ir::recipe::training::WARMUP;
use nas_ir::recipe::{NoSetting, Optimizer, Settings, Value};

use super::super::errors::{
    IdleSetting, KeepsTooMany, LongRise, LongWarmup, NoCommand, OtherOptimizer,
};
use super::{Given, Reader};

/// The sections of scores and of what is derived, which not all strategies have.
const SCORE: &str = "score";
const DERIVE: &str = "derive";

/// A setting that does nothing unless another of its section is such.
struct Need {
    section: &'static str,
    field: &'static str,
    other: &'static str,
    is_met: fn(&Value) -> bool,
    /// The other as it might be.
    example: &'static str,
}

const NEEDS: [Need; 7] = [
    of_teacher(TEMPERATURE.name),
    of_teacher(WEIGHT.name),
    of_patience(RETRAIN.name),
    of_patience(SCORE),
    Need {
        section: LOSS.name,
        field: DELTA.name,
        other: REGRESSION.name,
        is_met: |value| matches!(value, Value::Word("huber")),
        example: "regression = huber",
    },
    Need {
        section: SCORE,
        field: "warmup",
        other: "by",
        is_met: |value| matches!(value, Value::Word("train")),
        example: "by = train",
    },
    Need {
        section: DERIVE,
        field: "epochs",
        other: "finalists",
        is_met: is_some,
        example: "finalists = 2",
    },
];

const fn of_teacher(field: &'static str) -> Need {
    let is_met = |value: &Value| matches!(value, Value::Text(Some(_)));
    let (section, other) = (RETRAIN.name, TEACHER.name);
    Need { section, field, other, is_met, example: "teacher = \"teacher.onnx\"" }
}

const fn of_patience(section: &'static str) -> Need {
    let (field, other) = (MIN_DELTA.name, PATIENCE.name);
    Need { section, field, other, is_met: is_some, example: "patience = 3" }
}

/// Whether a count is not 0.
fn is_some(value: &Value) -> bool {
    !matches!(value, Value::Count(0))
}

impl Reader<'_> {
    /// Reports what does not: of what the strategy says, and of what holds in all recipes.
    pub(super) fn check_relations(&mut self) -> Result<(), NoSetting> {
        for relation in self.schema.relations {
            match relation {
                Relation::WarmupEnds => self.check_warmup()?,
                Relation::KeepsOfSample => self.check_keep()?,
                Relation::CommandGiven => self.check_command(),
            }
        }
        self.check_idle()?;
        for (section, epochs) in [(WEIGHTS.name, SCHEDULE), (RETRAIN.name, RETRAIN.name)] {
            self.check_rise(section, epochs)?;
            self.check_optimizer(section)?;
        }
        Ok(())
    }

    /// Warns of settings that do nothing as long as another is what it is. What is the default is none: a recipe may be
    /// written out.
    fn check_idle(&mut self) -> Result<(), NoSetting> {
        let mut defaults = Settings::default();
        defaults.complete(self.schema)?;
        let value =
            |settings: &Settings, given: &Given| settings.get(given.section, given.field).cloned();
        let is_other = |given: &&Given| value(&self.settings, given) != value(&defaults, given);
        for given in self.given.iter().filter(|given| given.understood).filter(is_other) {
            let is_of = |need: &&Need| (need.section, need.field) == (given.section, given.field);
            let Some(need) = NEEDS.iter().find(is_of) else { continue };
            let other = self.settings.get(need.section, need.other);
            if other.is_none_or(|value| (need.is_met)(value)) {
                continue;
            }
            let needs = if let Some(Value::Word(_)) = other { need.example } else { need.other };
            let place = Place::new(&given.source, given.span, "it changes nothing here");
            let place = place.advice(format!(
                "leave `{}` out, or write `{}` beside it",
                need.field, need.example
            ));
            self.problems.push(IdleSetting::at(place, need.field, needs));
        }
        Ok(())
    }

    /// Reports a warm-up of the rate after which no epoch is left.
    fn check_rise(
        &mut self,
        section: &'static str,
        of_epochs: &'static str,
    ) -> Result<(), NoSetting> {
        let warmup = self.settings.count(section, WARMUP.name)?;
        let epochs = self.settings.count(of_epochs, "epochs")?;
        if warmup < epochs {
            return Ok(());
        }
        let settings = [
            (section, WARMUP.name, format!("a warm-up of {warmup}")),
            (of_epochs, "epochs", format!("epochs in all: {epochs}")),
        ];
        let Some(place) = self.contradiction(settings) else { return Ok(()) };
        let help = self.instead((section, WARMUP.name), epochs / 10, "");
        self.problems.push(LongRise::at(place.help(help), warmup, epochs));
        Ok(())
    }

    /// Reports settings of other optimisers than that of the section.
    fn check_optimizer(&mut self, section: &'static str) -> Result<(), NoSetting> {
        let optimizer = self.settings.word(section, OPTIMIZER.name, &Optimizer::NAMED)?;
        let of_section = self.given.iter().filter(|given| given.section == section);
        for given in of_section {
            let Some(others) = optimizer.lacks(given.field) else { continue };
            let words: Vec<&str> = others.iter().map(|other| other.word()).collect();
            let place =
                Place::new(&given.source, given.span, "it changes nothing here").advice(format!(
                    "leave `{}` out, or write `{section} {} {{ … }}`",
                    given.field,
                    words.first().copied().unwrap_or_default()
                ));
            let problem =
                OtherOptimizer::at(place, given.field, listed(&words), section, optimizer.word());
            self.problems.push(problem);
        }
        Ok(())
    }

    /// Where two settings that contradict each other are written: the later one first, the other
    /// beside it if it is in the same source.
    fn contradiction(&self, settings: [(&str, &str, String); 2]) -> Option<Place> {
        let mut place: Option<Place> = None;
        for given in self.given.iter().rev() {
            let of = settings.iter().find(|(s, f, _)| (*s, *f) == (given.section, given.field));
            let Some((_, _, label)) = of else { continue };
            if !given.understood {
                return None;
            }
            place = Some(match place {
                None => Place::new(&given.source, given.span, label.as_str()),
                Some(first) if Arc::ptr_eq(first.source.text(), given.source.text()) => {
                    first.label(given.span, label.as_str())
                }
                Some(first) => first,
            });
        }
        place
    }

    fn check_warmup(&mut self) -> Result<(), NoSetting> {
        let warmup = self.settings.count("schedule", "warmup")?;
        let epochs = self.settings.count("schedule", "epochs")?;
        if warmup < epochs {
            return Ok(());
        }
        let settings = [
            ("schedule", "warmup", format!("a warm-up of {warmup}")),
            ("schedule", "epochs", format!("epochs in all: {epochs}")),
        ];
        let Some(place) = self.contradiction(settings) else { return Ok(()) };
        let enough = epochs / 4;
        let rest = format!(", or ask for more than {warmup} epochs");
        let help = self.instead(("schedule", "warmup"), enough, &rest);
        self.problems.push(LongWarmup::at(place.help(help), warmup, epochs));
        Ok(())
    }

    fn check_keep(&mut self) -> Result<(), NoSetting> {
        let sample = self.settings.count("derive", "sample")?;
        let keep = self.settings.count("derive", "keep")?;
        if keep <= sample {
            return Ok(());
        }
        let settings = [
            ("derive", "keep", format!("keeps {keep}")),
            ("derive", "sample", format!("draws {sample}")),
        ];
        let Some(place) = self.contradiction(settings) else { return Ok(()) };
        let help = self.instead(("derive", "keep"), sample, &format!(", or draw {keep}"));
        self.problems.push(KeepsTooMany::at(place.help(help), keep, sample));
        Ok(())
    }

    fn check_command(&mut self) {
        let by = self.settings.get("score", "by");
        let command = self.settings.get("score", "command");
        let (Some(Value::Word("command")), Some(Value::Template(None))) = (by, command) else {
            return;
        };
        let field = self.schema.section("score").and_then(|score| score.field("command"));
        let example = field.map(|field| field.kind.example()).unwrap_or_default();
        let is_given = |given: &Given, name: &str| (given.section, given.field) == ("score", name);
        // A command that was not understood is reported already.
        if self.given.iter().any(|given| is_given(given, "command")) {
            return;
        }
        if let Some(by) = self.given.iter().find(|given| is_given(given, "by")) {
            let place = Place::new(&by.source, by.span, "which one is missing")
                .advice(format!("write `command = {example}` beside it"));
            self.problems.push(NoCommand::at(place));
        }
    }

    /// Another value of a setting, in the place of the one given, if one is.
    fn instead(&self, (section, field): (&str, &str), value: u32, rest: &str) -> Help {
        let says = |value: &str| {
            format!("write `{field} = {value}` (`--set {section}.{field}={value}`){rest}")
        };
        let value = value.to_string();
        match self.given.iter().find(|g| (g.section, g.field) == (section, field)) {
            Some(given) => Fix::replace(given.source.at(given.span), value, says).into(),
            None => Help::Advice(says(&value)),
        }
    }
}

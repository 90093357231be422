//! Commands that score networks in tests: small scripts for `sh`.

use nas_ir::recipe::template::{Part, Template};
use nas_ir::recipe::{Settings, Value};

use crate::command::PLACEHOLDERS;

/// Scores a network by what it chooses: the sum of the numbers of its candidates.
pub(super) const WORTH: &str = concat!(
    r#"sum=0; for c in $(sed -n 's/.*: "c\([0-9]\)".*/\1/p' {json}); do sum=$((sum + c)); done; "#,
    r#"echo "\{\"worth\": $sum}""#
);

/// The template that a text is, as the language has it.
pub(super) fn template(text: &str) -> Template {
    let mut parts = Vec::new();
    for (n, piece) in text.replace("\\{", "\0").split('{').enumerate() {
        let plain = |text: &str| Part::Text(text.replace('\0', "{"));
        let placeholder = piece.split_once('}').filter(|_| n > 0);
        let Some((name, rest)) = placeholder else {
            parts.push(plain(piece));
            continue;
        };
        let known = PLACEHOLDERS.iter().find(|known| **known == name).expect(name);
        parts.push(Part::Placeholder(known));
        parts.push(plain(rest));
    }
    Template::new(parts)
}

/// Lets a command score the networks of a recipe, by its metric `worth`.
pub(super) fn by_command(settings: &mut Settings, command: &str) {
    settings.set("score", "by", Value::Word("command"));
    settings.set("score", "command", Value::Template(Some(template(command))));
    settings.set("score", "metric", Value::Text(Some("worth".to_owned())));
    settings.set("score", "direction", Value::Word("higher"));
    settings.set("score", "timeout", Value::Count(600));
}

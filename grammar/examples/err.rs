//! x
fn main(){ for case in std::env::args().skip(1) { let case = case.replace("\\n","\n"); let src=nas_grammar::Source::new("t",case.clone()); let p=nas_grammar::parse(&src);
println!("--- {case}"); for x in p.problems{ let l: Vec<_>=x.labels().map(|l|l.map(|l|(l.label().unwrap_or("").to_string(),l.offset(),l.len())).collect()).unwrap_or_default(); println!("  {x} {l:?} {}", x.help().map(|h|h.to_string()).unwrap_or_default());} println!("  items {}", p.file.items.len()); }}

fn main(){ let mut s=String::new(); std::io::Read::read_to_string(&mut std::io::stdin(),&mut s).unwrap();
let src=nas_grammar::Source::new("t",s); let p=nas_grammar::parse(&src); println!("{:#?}",p.file); for x in p.problems{println!("{x} {:?}", x.labels().map(|l|l.collect::<Vec<_>>()));}}

use cycle.stem // error[nas::names::cycle]

block tail(x) { x -> stem }

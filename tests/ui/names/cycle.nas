use cycle.stem // error[nas::names::cycle]

block stem(x) { x -> relu }

block tail(x) { x -> stem }

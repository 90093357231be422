use one.stem // error[nas::names::cycle]

block inner(x) { x -> relu }

block conv(x) { x -> relu } // error[nas::names::shadowed]

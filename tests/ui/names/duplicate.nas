block stem(x) { x -> relu }
block stem(x) { x -> sigmoid } // error[nas::names::duplicate]

space demo {} // error[nas::space::no_input]

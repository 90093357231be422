space demo {} // error[nas::space::no_input] error[nas::space::no_output]

use blocks.{} // error[nas::parse::syntax]

//! x
use clap::Parser;
#[derive(Parser)]
enum C {
    Export(nasc::export::ExportArgs),
    Verify(nasc::verify::VerifyArgs),
}
fn main() -> std::process::ExitCode {
    let r = match C::parse() {
        C::Export(a) => nasc::export::run(&a),
        C::Verify(a) => nasc::verify::run(&a),
    };
    match r {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(f) => std::process::ExitCode::from(f.report()),
    }
}

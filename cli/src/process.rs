//! A process of nasc: how it begins, works and ends.

use std::io::{self, Write};

use crate::render::report::{EXIT_BUG, Failure};
use crate::render::stream::unwritten;
use crate::tell;

/// Bytes of stack: deep but legal nesting needs more than a main thread may have.
pub(crate) const STACK: usize = 64 << 20;

/// Lets the process end as other tools do, and tell its own faults from those of files.
pub(crate) fn begin() {
    // `nasc show … | head` ends quietly.
    sigpipe::reset();
    std::panic::set_hook(Box::new(|panic| {
        tell!("error[nas::internal::panic]: a fault of nasc, not of your file");
        tell!("  {panic}");
        tell!("  please report it, with the command and the file");
    }));
}

/// Does the work on a deep stack; its exit status, after its failure is reported.
pub(crate) fn work(work: impl FnOnce() -> Result<u8, Failure> + Send + 'static) -> u8 {
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(work);
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(status))) => status,
        Ok(Ok(Err(failure))) => failure.report(),
        _ => EXIT_BUG,
    }
}

/// Ends the process at once: libtorch takes a tenth of a second to free what goes with the process
/// anyway.
pub(crate) fn end(status: u8) -> ! {
    let flushed = io::stdout().flush().map_err(|error| unwritten(&error).report());
    let status = if status == 0 { flushed.err().unwrap_or(0) } else { status };
    signal_hook::low_level::exit(status.into())
}

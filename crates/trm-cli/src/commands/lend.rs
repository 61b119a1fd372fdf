//! `trm lend`: this machine's device, for trm on another machine.

use std::{io::Write, net::TcpListener};

use tracing::subscriber::{NoSubscriber, set_global_default};

use crate::{Result, device::lend, flags::LendArgs};

pub fn run(args: &LendArgs) -> Result<()> {
    let LendArgs { device, port } = args;
    // Burn says nothing if it cannot listen.
    TcpListener::bind(("0.0.0.0", *port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; take another --port"))?;
    let mut out = anstream::stdout();
    writeln!(out, "lending {device} on port {port}; Ctrl-C ends it")?;
    out.flush()?;
    // Burn would log every connection, in colour whatever reads it.
    set_global_default(NoSubscriber::default())?;
    lend(device, *port)
}

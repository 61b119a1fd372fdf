//! Devices that other machines lend.

use std::{io::Read, net::TcpStream, process, thread};

use burn::backend::remote::RemoteDevice;

use crate::{Result, render::ERROR, train_view};

/// `HOST:PORT,HOST:PORT`.
pub fn addresses(text: &str) -> Result<Vec<String>, String> {
    let addresses: Vec<String> = text.split(',').map(str::to_owned).collect();
    for (i, address) in addresses.iter().enumerate() {
        let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        if !matches!(parts, Some((host, Ok(_))) if !host.is_empty()) {
            return Err(format!("`{address}` is not HOST:PORT"));
        }
        if addresses[..i].contains(address) {
            return Err(format!("device {address} is named twice"));
        }
    }
    Ok(addresses)
}

/// The devices at these addresses, if they are lent. The process ends if one of them goes away.
pub fn devices(addresses: &[String]) -> Result<Vec<RemoteDevice>> {
    for address in addresses {
        let mut lender = TcpStream::connect(address).map_err(|error| {
            format!(
                "nobody lends a device at {address} ({error}); start `trm lend` there, or take --device cpu"
            )
        })?;
        // Burn 0.21 would wait for ever for the answer of a server that is gone. So a connection of our own, over which
        // nothing is ever said, stays open to tell.
        let address = address.clone();
        thread::spawn(move || {
            let _ = lender.read(&mut [0]);
            train_view::restore();
            anstream::eprintln!(
                "{ERROR}error:{ERROR:#} the device at {address} is gone; a run goes on from its last checkpoint with --resume"
            );
            process::exit(1);
        });
    }
    Ok(addresses.iter().map(|address| RemoteDevice::new(&format!("ws://{address}"))).collect())
}

//! Devices that other machines lend, and lending one's own.

use std::{io::Read, net::TcpStream, process, thread};

#[cfg(any(feature = "wgpu", feature = "cuda"))]
use super::gpu;
use burn::backend::remote::RemoteDevice;
use burn::{
    backend::{Flex, flex::FlexDevice},
    server::start_websocket,
};

use super::DeviceChoice;
use crate::{Result, render::ERROR, train_view};

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

/// Lends a device to whoever connects to the port, until the process is told to stop.
pub fn lend(choice: &DeviceChoice, port: u16) -> Result<()> {
    match choice.or_fastest() {
        DeviceChoice::Cpu(_) => start_websocket::<Flex>(FlexDevice, port),
        DeviceChoice::Remote(_) => return Err("a device that was lent cannot be lent again".into()),
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu(indices) => {
            start_websocket::<burn::backend::Wgpu>(gpu::only(&gpu::wgpu(&indices))?, port);
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(indices) => {
            start_websocket::<burn::backend::Cuda>(gpu::only(&gpu::cuda(&indices))?, port);
        }
        choice => return Err(choice.not_built_in()),
    }
    Ok(())
}

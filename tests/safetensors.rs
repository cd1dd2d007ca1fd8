//! Weights from and to `PyTorch`: what it trains is what is trained here, files come back as they were, and what does not
//! fit is refused by name.
#![cfg(feature = "safetensors")]

#[path = "safetensors/biases.rs"]
mod biases;
#[path = "safetensors/readings.rs"]
mod readings;
#[path = "safetensors/refused.rs"]
mod refused;
#[path = "safetensors/round_trip.rs"]
mod round_trip;
#[path = "safetensors/steps.rs"]
mod steps;
#[path = "safetensors/theirs.rs"]
mod theirs;

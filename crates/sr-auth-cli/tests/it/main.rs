//! The real program against a real sandbox.

mod api;
mod browser;
mod demo;
mod help;
mod hold;
mod login;
mod loopback;
mod partner;
mod program;
mod sandbox;
mod secrets;
mod settings;
mod stored;
mod token;

//! Pure functions between bytes and types, one file per message.

pub mod token_answer;

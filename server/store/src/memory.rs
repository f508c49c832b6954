//! The model: a store in memory, durable for as long as it lives.

//! Packing and unpacking give the same bytes, whatever was written and whatever was shared.

mod bombs;
mod province_day;
mod records;
mod same_bytes;
mod world;

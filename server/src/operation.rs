//! What can be asked of the server: one use case per file.
//!
//! In each file a request and an answer as they travel, a `respond` that the route table names
//! (extract, one call, convert), and the use case itself, which knows nothing of HTTP.

pub mod add_duties;
pub mod add_node;
pub mod add_people;
pub mod adopt_catalogue;
pub mod challenge_device;
pub mod change_password;
mod due_units;
pub mod end_device_key;
pub mod end_duty;
pub mod end_grant;
pub mod end_session;
pub mod except_from_duty;
mod figures;
pub mod follow_roll_up;
pub mod found_province;
pub mod holidays;
pub mod import_file;
pub mod import_template;
pub mod import_units;
pub mod join_province;
pub mod list_duties;
pub mod list_parts;
pub mod list_people;
pub mod list_reports;
pub mod list_templates;
pub mod list_units;
pub mod make_enrolments;
pub mod read_catalogue;
pub mod read_coverage;
pub mod read_fingerprints;
pub mod read_interface;
pub mod read_metrics;
pub mod read_report;
pub mod read_roll_up;
pub mod read_status;
pub mod read_upstream;
pub mod redeem_enrolment;
pub mod refresh_session;
pub mod report_health;
pub mod retire_template;
pub mod sign_in;
pub mod sign_in_device;
pub mod sync_live;
pub mod sync_once;
pub mod take_back_catalogue;
mod wake_live;

//! The server over real HTTP: one binary, one file per part of the table of routes.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod desks;
#[cfg(test)]
mod duties;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod field;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod first_run;
#[cfg(test)]
mod interface;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod served;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod standing;
#[cfg(test)]
mod synchronising;

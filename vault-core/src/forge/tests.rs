//! A test for every check, and the attacks on what core alone decides.

mod chk_agency;

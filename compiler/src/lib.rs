//! The .nas compiler: names, elaboration, shapes, IR, checks, analyses

//! Holds nothing: the models are its tests.

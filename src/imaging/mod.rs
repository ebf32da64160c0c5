//! Decoding photos: formats, limits, EXIF.

use super::*;
use image::Rgb;

#[test]
fn pictures_of_any_size_are_searched() {
    let network = Yunet::new().unwrap();
    for (width, height) in [(1, 1), (1, 500), (33, 31), (640, 20)] {
        let grey = RgbImage::from_pixel(width, height, Rgb([128; 3]));
        assert_eq!(network.candidates(&grey, 0.5), [], "{width}×{height}");
    }
}

#!/bin/sh
# Trains emotion.safetensors from the data sets, in about seven and a half hours on two cores. If it is interrupted, run it
# again: each training run resumes from its last checkpoint.
#
#     models/train.sh fer2013.csv fer2013new.csv EXPRESSIONS GENKI MASKS ANIMALS...
#
# EXPRESSIONS, GENKI and MASKS are folders with images/ and labels.csv (models/README.md says which): labels.csv has the
# columns file and emotion in the first, file and smile in the second, file, xmin, ymin, xmax, ymax and state in the third.
# ANIMALS are folders of pictures of animals: dogs, monkeys, cats. Only the head for human faces learns from the masks and the
# animals.
#
# Writes to the current folder (fer2013.safetensors, runs/, human/) and uses the fer-index on the PATH; for the last step
# cargo, and python3 with numpy.
#
# A run whose folder ends in `-held-out` does not train on PublicTest's rows, so that they can measure and calibrate it.
set -eu
models=$(dirname "$0")
recipes=$models/../config/recipes
[ -e fer2013.safetensors ] || fer-index dataset import "$1" --ferplus "$2"

train() { fer-index train --recipe "$recipes/$1.toml"; }
train_held_out() {
    fer-index train --recipe "$recipes/$1.toml" --set 'train_on=["training"]' --out "runs/$1-held-out"
}
calibrate() { fer-index model calibrate "$@"; }
# mean A B OUT: the mean of the best weights of runs A and B, 70 % of A's and 30 % of B's.
mean() {
    mkdir -p "runs/$3"
    fer-index model average "runs/$1/best.safetensors" "runs/$2/best.safetensors" --share 0.3 --out "runs/$3/mean.safetensors"
}

# The teachers, and the wide network that the finishing runs go on from.
for run in teacher-narrow teacher-born-again base-wide teacher-full-resolution teacher-full-resolution-finish; do
    train $run
    calibrate runs/$run/best.safetensors --half --out runs/$run/calibrated.safetensors
done

# Two short runs with light augmentation; the mean of their weights is a teacher of finish-distilled.
for run in finish-light finish-sam; do
    train_held_out $run
done
mean finish-light-held-out finish-sam-held-out finish-mean-held-out
calibrate runs/finish-mean-held-out/mean.safetensors --shift angry=0.05,sad=0.05 --half \
    --out runs/finish-mean-held-out/calibrated.safetensors

# The shipped model without PublicTest's rows: they measure it, and its calibration is the shipped model's.
train_held_out finish-distilled
mean finish-distilled-held-out finish-sam-held-out emotion-held-out
calibrate runs/emotion-held-out/mean.safetensors --shift angry=0.3,fear=0.4,sad=0.2 --half \
    --out runs/emotion-held-out/calibrated.safetensors
fer-index evaluate runs/emotion-held-out/calibrated.safetensors

# The shipped model, with these rows.
for run in finish-sam finish-distilled; do
    train $run
done
mean finish-distilled finish-sam emotion
calibrate runs/emotion/mean.safetensors --like runs/emotion-held-out/calibrated.safetensors --half --out runs/emotion/calibrated.safetensors

# The head that gives the album scores, fitted on faces of photos.
for set in "$3" "$4"; do
    fer-index dataset photos "$set/images" --labels "$set/labels.csv" --out "$(basename "$set").safetensors"
done
fer-index model photo-head runs/emotion/calibrated.safetensors \
    --faces "$(basename "$3").safetensors" --faces "$(basename "$4").safetensors" --leave-out disgust \
    --strength 0.02 --balance 0.5 --shift angry=0.3,sad=0.7,contempt=1.5 --half --out runs/emotion/with-photos.safetensors

# The head that tells human faces from others, fitted on every third row of FER2013 and on the faces that the detector finds
# in the photos and the animals' pictures.
"$models"/human_head.sh runs/emotion/with-photos.safetensors emotion.safetensors "$@"

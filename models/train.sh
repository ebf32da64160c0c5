#!/bin/sh
# Trains emotion.safetensors from the data sets, in about seven and a half hours on two cores. If it is interrupted, run it
# again: each training run resumes from its last checkpoint.
#
#     models/train.sh fer2013.csv fer2013new.csv
#
# Writes to the current folder (fer2013.safetensors, runs/) and uses the fer-index on the PATH.
set -eu
recipes=$(dirname "$0")/../config/recipes
[ -e fer2013.safetensors ] || fer-index dataset import "$1" --ferplus "$2"

train() { fer-index train --recipe "$recipes/$1.toml"; }
calibrate() { fer-index model calibrate "$@"; }
# mean A B OUT: the mean of the best weights of runs A and B, 70 % of A's and 30 % of B's.
mean() {
    mkdir -p "runs/$3"
    fer-index model average "runs/$1/best.safetensors" "runs/$2/best.safetensors" --share 0.3 --out "runs/$3/mean.safetensors"
}

# A narrower network, from random weights (third) and continued from its own weights (fourth), teaches a wider one (sixth).
# The eighth and the fourteenth, at full resolution, misclassify other faces than these.
for run in third fourth sixth eighth fourteenth; do
    train $run
    calibrate runs/$run/best.safetensors --half --out runs/$run/calibrated.safetensors
done

# Short runs with little augmentation and without the validation rows: the mean of their weights is a teacher of the last
# run.
for run in eleventh twelfth; do
    fer-index train --recipe "$recipes/$run.toml" --set 'train_on=["training"]' --out runs/check-$run
done
mean check-eleventh check-twelfth check
calibrate runs/check/mean.safetensors --shift angry=0.05,sad=0.05 --half --out runs/check/calibrated.safetensors

# The last run without the validation rows: the mean of its weights and the twelfth's is evaluated, and its calibration is
# copied to the shipped model.
fer-index train --recipe "$recipes/fifteenth.toml" --set 'train_on=["training"]' --out runs/check-fifteenth
mean check-fifteenth check-twelfth judged
calibrate runs/judged/mean.safetensors --shift angry=0.3,fear=0.4,sad=0.2 --half --out runs/judged/calibrated.safetensors
fer-index evaluate runs/judged/calibrated.safetensors

# Both last runs with the validation rows: the mean of their weights is shipped.
for run in twelfth fifteenth; do
    train $run
done
mean fifteenth twelfth shipped
calibrate runs/shipped/mean.safetensors --like runs/judged/calibrated.safetensors --half --out emotion.safetensors
echo "emotion.safetensors is ready; copy it to models/emotion.safetensors"

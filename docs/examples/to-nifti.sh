#!/bin/sh
# A hook of Scanflow's: converts a series with dcm2niix into FOLDER.nifti beside its folder. Run again for late images,
# it converts the whole series anew; what was there before is replaced only once the new conversion is complete.
#
#   hooks:
#     nifti: { on: [stored], when: { modality: [MR, CT] }, command: [/usr/local/bin/to-nifti.sh, '{folder}'] }
set -eu
series=${1%/}
aside="$series.nifti.$$"
trap 'rm -rf "$aside"' EXIT
mkdir "$aside"
dcm2niix -z y -f '%s_%d' -o "$aside" "$series"
rm -rf "$series.nifti"
mv "$aside" "$series.nifti"

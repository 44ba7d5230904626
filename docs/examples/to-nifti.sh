#!/bin/sh
# A hook of Scanflow's: converts a series with dcm2niix into FOLDER.nifti beside its folder. Run again for late images,
# it converts the whole series anew; what was there before is replaced only once the new conversion is complete. A series
# without images (spectroscopy, reports, presentation states, raw data) has nothing to convert, and is done.
#
#   hooks:
#     nifti: { on: [stored], when: { modality: [MR, CT] }, command: [/usr/local/bin/to-nifti.sh, '{folder}'] }
set -eu
series=${1%/}
aside="$series.nifti.$$"
trap 'rm -rf "$aside"' EXIT

# SOP classes whose instances are images: CR, DX, MG, IO, CT, US, MR, SC, XA, RF, NM, PET (PS3.4 B.5)
images='1|1\.[123]|1\.[123]\.1|2|2\.[12]|3\.1|4|4\.[134]|6\.[12]|7|7\.[1-4]|12\.[12]|12\.[12]\.1|13\.1\.[1-5]|20|128|128\.1|130'
has_images() {
	grep -Eq "\"sopClassUid\": *\"1\.2\.840\.10008\.5\.1\.4\.1\.1\.($images)\"" "$series/series.json"
}

mkdir "$aside"
status=0
dcm2niix -z y -f '%s_%d' -o "$aside" "$series" || status=$?
# 2: it found no images that it can convert. Of a series that has images, that is a failure
if [ "$status" -eq 2 ] && [ -f "$series/series.json" ] && ! has_images; then
	echo 'nothing to convert: no instance of this series is an image'
	exit 0
fi
[ "$status" -eq 0 ] || exit "$status"
rm -rf "$series.nifti"
mv "$aside" "$series.nifti"

#!/bin/bash
# Installs weir into a folder of its own, builds the consumer against it, and runs that:
#   install_test.sh CMAKE BUILD_FOLDER WORK_FOLDER COMPILER
set -euo pipefail
cmake=$1 build=$2 work=$3 compiler=$4
consumer=$(dirname "${BASH_SOURCE[0]}")/consumer
rm -rf "$work"
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
"$cmake" -G Ninja -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release >/dev/null
"$cmake" --build "$work/build"
"$build/weir-sample" capture "$work/sample.pcap"
"$work/build/consumer" "$work/sample.pcap"
if "$work/build/consumer" "$work/nowhere.pcap"; then
  echo "the consumer took a file that is not there for a capture"
  exit 1
fi
[[ ! -e $build/weir ]] || "$work/prefix/bin/weir" --help >/dev/null
echo "installed files: $(find "$work/prefix" -type f | wc -l)"

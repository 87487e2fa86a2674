# The entry points: `make demo`, `make test`, `make`. Missing system packages are installed first.

SWIFT_FLAGS := -c release --static-swift-stdlib
BUILD := .build/release
DEMO := .build/demo
HOST := $(shell uname -m)
RUNTIME := .build/runtime/$(HOST)

.PHONY: all demo test runtime arm test-runtime conformance keras clean packages
all: packages
	swift build $(SWIFT_FLAGS) --product wherry

# The two development packages of the formats, by apt where they are missing.
packages:
	@dpkg -s libprotobuf-c-dev zlib1g-dev >/dev/null 2>&1 || { \
	  S=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
	  $$S apt-get update -qq && $$S apt-get install -y -qq libprotobuf-c-dev zlib1g-dev; }

# A CNN trained on handwritten digits: ONNX -> native file -> a C program that classifies.
demo: all runtime
	mkdir -p $(DEMO)
	$(BUILD)/wherry convert fixtures/models/digits_cnn.onnx $(DEMO)/digits.wherry --verify
	$(BUILD)/wherry inspect $(DEMO)/digits.wherry
	$(BUILD)/wherry verify $(DEMO)/digits.wherry
	cc -O2 -o $(DEMO)/digits runtime/examples/digits.c -I$(RUNTIME)/include $(RUNTIME)/lib/libwherry.a -lm
	$(DEMO)/digits $(DEMO)/digits.wherry fixtures/golden/digits_images.f32 \
	  fixtures/golden/digits_labels.u8 --expect fixtures/golden/digits_outputs.f32

# libwherry.a and libwherry.so for this machine, and for ARM where a cross compiler is present.
runtime: packages
	runtime/build.sh --target $(HOST) --out .build/runtime
arm:
	runtime/build.sh --target all --out .build/runtime

test: packages test-runtime
	swift test

test-runtime:
	runtime/Tests/kernels/run.sh
	runtime/Tests/abi/run.sh

# What the tools that made the models say: needs the suites, and a Python with fixtures/generators/oracle.txt.
PYTHON ?= python3
conformance: all arm
	rm -rf .build/written && mkdir -p .build/written/onnx .build/written/json .build/written/qdq .build/written/hdf5 .build/written/graph
	$(PYTHON) runtime/Tests/models/run.py $(BUILD)/wherry
	$(PYTHON) runtime/Tests/models/same_bytes.py $(BUILD)/wherry
	$(PYTHON) formats/ONNX/oracle/qdq.py $(BUILD)/wherry .build/written/qdq
	WHERRY_ROUNDTRIP_OUT=.build/written/onnx swift test --filter ONNXRoundTripTests
	$(PYTHON) formats/ONNX/oracle/roundtrip.py $${WHERRY_SUITES:-../shared/suites} .build/written/onnx
	WHERRY_JSON_OUT=.build/written/json swift test --filter JSONSuiteTests
	$(PYTHON) formats/JSON/oracle/validate.py .build/written/json
	WHERRY_HDF5_OUT=.build/written/hdf5 swift test --filter WherryHDF5Tests
	$(PYTHON) formats/HDF5/oracle/digests.py --compare suite $${WHERRY_SUITES:-../shared/suites}/hdf5 .build/written/hdf5
	$(PYTHON) formats/HDF5/oracle/digests.py --compare written .build/written/hdf5 .build/written/hdf5
	WHERRY_GRAPH_OUT=.build/written/graph swift test --filter GraphLayoutTests
	$(PYTHON) formats/HDF5/oracle/graph_layout.py $${WHERRY_SUITES:-../shared/suites} .build/written/graph

# What Keras says: needs a Python with tensorflow-cpu, tf_keras, keras, h5py, onnx and onnxruntime.
keras: all
	for framework in tf_keras keras; do \
	  $(PYTHON) fixtures/generators/keras_grid.py .build/keras $$framework; done
	$(PYTHON) formats/HDF5/oracle/grid.py $(BUILD)/wherry .build/keras
	$(PYTHON) formats/HDF5/oracle/written.py write $(BUILD)/wherry .build/keras .build/written/keras
	for framework in tf_keras keras; do \
	  $(PYTHON) formats/HDF5/oracle/written.py open .build/keras .build/written/keras $$framework || exit 1; \
	  $(PYTHON) formats/HDF5/oracle/foreign.py $(BUILD)/wherry $$framework fixtures/models/*.onnx || exit 1; done

clean:
	rm -rf .build

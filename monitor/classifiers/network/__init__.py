"""The sound model's arithmetic: its ONNX file read, laid out, computed by `monitor/native/network.c`."""

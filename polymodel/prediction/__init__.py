"""Trained runs at work: predictions, embeddings, ONNX files."""

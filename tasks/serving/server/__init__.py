"""The server of exported models: TensorFlow Serving's REST and gRPC interfaces, with batching and hot swap."""

"""The bundled sample of the sentiment task."""

"""The bundled sample of the translation task."""

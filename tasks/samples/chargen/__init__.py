"""The bundled sample of the character-generation task."""

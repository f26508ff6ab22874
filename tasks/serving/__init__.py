"""Inference: evaluation, answers for streams of texts, explanations, and exported models."""

"""Texts: corpora for language models, labelled and aligned sentences, vocabularies, and their baselines."""
